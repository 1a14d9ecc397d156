/**
 * A history as JSON, and back, by protobufjs's own mapping. Temporal's canonical JSON would be readable for its other
 * tools too, but the SDK's converter refuses its own types wherever npm installs protobufjs twice, as it does here.
 */
import proto from '@temporalio/proto';

const { History } = proto.temporal.api.history.v1;

export function historyToText(history: proto.temporal.api.history.v1.IHistory): string {
  const plain = History.toObject(History.fromObject(history), { longs: String, bytes: String, enums: Number });
  return `${JSON.stringify(plain, undefined, 1)}\n`;
}

export function historyFromText(text: string): proto.temporal.api.history.v1.IHistory {
  return History.fromObject(JSON.parse(text));
}
