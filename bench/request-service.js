/** The thread of the service that all requests of the bench go to. It answers only those that are as they must be. */
import { createServer } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { ANSWER, BODY } from './request-contenders.js';

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const { apiKey, endpointPath } = workerData;
let connections = 0;

const server = createServer(async (request, response) => {
  let length = 0;
  for await (const chunk of request) length += chunk.length;
  const isKnown = request.headers.authorization === `Bearer ${apiKey}` || request.url === endpointPath;
  response.writeHead(isKnown && length === BODY.length ? 200 : 401, { 'content-type': 'application/json' });
  response.end(ANSWER);
});
// Not closed between two turns of a contender.
server.keepAliveTimeout = 0;
server.on('connection', () => {
  connections += 1;
});
server.listen(0, '127.0.0.1', () =>
  port.postMessage(/** @type {import('node:net').AddressInfo} */ (server.address()).port),
);
port.on('message', () => port.postMessage(connections));
