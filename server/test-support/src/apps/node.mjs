// An application with everything that HTTP has: started with the port to listen at (0 for any), which it prints.
import http from "node:http";
import crypto from "node:crypto";

const server = http.createServer({ keepAliveTimeout: 5000 }, (request, response) => {
  console.log(`asked ${request.method} ${request.url}`);
  const url = new URL(request.url, "http://localhost");
  switch (url.pathname) {
    case "/echo": // The body as it came, with what the request looked like.
      response.writeHead(200, "Well Done", { "Content-Type": "application/octet-stream", "X-Method": request.method, "X-Target": request.url });
      return request.pipe(response);
    case "/headers":
      response.writeHead(200, { "Content-Type": "application/json" });
      return response.end(JSON.stringify(request.rawHeaders));
    case "/several":
      response.writeHead(200, [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2; Path=/"], ["X-Odd-Case", "Kept"], ["Content-Length", "2"]].flat());
      return response.end("ok");
    case "/chunks":
      response.write("one,");
      setTimeout(() => { response.write("two,"); setTimeout(() => response.end("three"), 50); }, 50);
      return;
    case "/trailers":
      response.writeHead(200, { Trailer: "X-Sum", "Transfer-Encoding": "chunked" });
      response.write("with trailers");
      response.addTrailers({ "X-Sum": "42" });
      return response.end();
    case "/trailed":
      request.resume();
      return request.on("end", () => response.end(JSON.stringify(request.trailers)));
    case "/hash": { // What came, as a number of bytes and their digest.
      const hash = crypto.createHash("sha256");
      let bytes = 0;
      request.on("data", (chunk) => { bytes += chunk.length; hash.update(chunk); });
      request.on("error", () => console.log("upload broken off"));
      return request.on("end", () => response.end(`${bytes} ${hash.digest("hex")}`));
    }
    case "/bytes": { // As many as asked for.
      let left = Number(url.searchParams.get("count"));
      const chunk = Buffer.alloc(65536, "0123456789abcdef");
      response.writeHead(200, { "Content-Length": left });
      const more = () => {
        while (left > 0) {
          const part = left < chunk.length ? chunk.subarray(0, left) : chunk;
          left -= part.length;
          if (!response.write(part)) {
            const held = setTimeout(() => console.log("held up"), 300);
            return response.once("drain", () => { clearTimeout(held); more(); });
          }
        }
        response.end();
      };
      return more();
    }
    case "/events": {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      let number = 0;
      const next = () => response.write(`data: ${number++}\n\n`);
      next();
      const timer = setInterval(next, Number(url.searchParams.get("every") ?? 50));
      return response.on("close", () => { clearInterval(timer); console.log("events closed"); });
    }
    case "/news": // Its head comes with the first event, which may come late.
      response.setHeader("Content-Type", "text/event-stream");
      return setTimeout(() => { response.write("data: 1\n\n"); response.end(); }, Number(url.searchParams.get("after") ?? 7000));
    case "/poll": // As long as nothing happens.
      return setTimeout(() => response.end("6"), 3000);
    case "/slow":
      return setTimeout(() => response.end("at last"), 1500);
    case "/lines": // Its head comes with the first line, which comes late.
      response.setHeader("Content-Type", "application/x-ndjson");
      setTimeout(() => response.write('{"line":1}\n'), 3000);
      return setTimeout(() => response.end('{"line":2}\n'), 4000);
    case "/words": { // As a language model answers.
      response.writeHead(200, { "Content-Type": "application/json" });
      let left = 60;
      const timer = setInterval(() => left-- ? response.write('"word"\n') : response.end(clearInterval(timer)), 50);
      return response.on("close", () => clearInterval(timer));
    }
    case "/early": // Refused before the body has been read.
      response.writeHead(413, { Connection: "close", "Content-Length": "9" });
      return response.end("too large");
    case "/broken": // Breaks off in the middle of a body whose length it promised.
      response.writeHead(200, { "Content-Length": "100" });
      return response.write("half", () => request.socket.destroy());
    case "/gone":
      return request.socket.destroy();
    case "/empty":
      response.writeHead(204);
      return response.end();
    case "/unchanged":
      response.writeHead(304, { ETag: '"7"' });
      return response.end();
    case "/old": // An answer that ends with its connection.
      request.socket.write("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end");
      return request.socket.end();
    case "/never":
      return;
    default:
      response.writeHead(404, { "Content-Type": "text/plain" });
      return response.end("not found");
  }
});
server.on("checkContinue", (request, response) => {
  if (request.url.startsWith("/refuse")) {
    response.writeHead(417, { "Content-Length": "2" });
    return response.end("no");
  }
  response.writeContinue();
  server.emit("request", request, response);
});
server.on("upgrade", (request, socket) => {
  // Bytes as they come, in a protocol of its own.
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  socket.on("error", () => {});
  socket.pipe(socket);
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => console.log(`listening ${server.address().port}`));
