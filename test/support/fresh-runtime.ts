/** Each file may install a Temporal runtime of its own: that of the file before it ends. */
import { Runtime } from '@temporalio/worker';

await Runtime.instance().shutdown();
