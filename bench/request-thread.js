/** The thread of one contender of the requests. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { REQUESTS } from './request-contenders.js';
import { turnOfMs } from './rounds.js';

// As every Temporal worker has one.
new AsyncLocalStorage().run(true, () => {});

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const { name, service } = workerData;
const run = await REQUESTS[name](service);
await run();
port.on('message', async ({ turnMs }) => port.postMessage(await turnOfMs(turnMs)({ run })));
port.postMessage('ready');
