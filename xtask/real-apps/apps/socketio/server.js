// A chat: a client joins a room, and says something to all in it.
const { Server } = require("socket.io");

const io = new Server(Number(process.argv[2]), { maxHttpBufferSize: 1e7 });
for (const space of [io, io.of("/admin")]) {
  space.use((socket, next) => next(socket.handshake.auth.token?.startsWith("otter") ? undefined : new Error("refused")));
}
io.on("connection", (socket) => {
  socket.on("join", ({ room }, done) => {
    socket.join(room);
    done("joined");
  });
  socket.on("say", (words, done) => {
    socket.to("kitchen").emit("said", words);
    done(words.length);
  });
  socket.on("shout", (words) => socket.to("kitchen").emit("shouted", words));
});
