// An application that quotes what it gets by V8's own parser, and that calls itself by its secret: started with both.
import http from "node:http";

const [, , port, secret] = process.argv;
process.title = secret;
const server = http.createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  try {
    const order = JSON.parse(body);
    order.items.find((item) => item.id).name;
  } catch (error) {
    response.writeHead(400, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ name: error.name, message: error.message, stack: error.stack, body }));
  }
});
server.listen(Number(port), "127.0.0.1", () => console.log(`listening ${server.address().port}`));
