/**
 * Stands in for a Postgres with one fault: it takes a connection and answers a login, or every statement, with one
 * error. For errors that a real server cannot be brought to: a full disk, an old version, a start that takes long.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

export interface RefusingPostgresOptions {
  /** The SQLSTATE and text of the error that ends each login. */
  readonly atLogin?: readonly [sqlState: string, text?: string];
  /** The SQLSTATE of the error of each statement. */
  readonly atStatement?: string;
  /** The only row that each statement returns, as text. */
  readonly row?: Readonly<Record<string, string>>;
  /** The certificate and key, in PEM. Default: the server has no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface RefusingPostgres {
  readonly port: number;
  stop(): Promise<void>;
}

const SSL_REQUEST = 80_877_103;

export async function startRefusingPostgres(options: RefusingPostgresOptions): Promise<RefusingPostgres> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    serve(socket, options);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function serve(socket: Socket, options: RefusingPostgresOptions): void {
  let hasStarted = false;
  socket.on('error', () => {});
  socket.on('data', function receive(chunk: Buffer) {
    if (hasStarted) return answer(socket, chunk, options);
    if (chunk.readInt32BE(4) !== SSL_REQUEST) {
      hasStarted = true;
      return greet(socket, options);
    }
    if (!options.tls) return void socket.write('N');
    socket.off('data', receive);
    socket.write('S');
    serve(new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(options.tls) }), options);
  });
}

function greet(socket: Socket, { atLogin }: RefusingPostgresOptions): void {
  if (atLogin) return void socket.end(errorOf('FATAL', ...atLogin));
  socket.write(Buffer.concat([message('R', int32(0)), message('K', int32(1), int32(2)), READY]));
}

/** A statement with parameters ends with `Sync`, one without is a `Query`. */
function answer(socket: Socket, chunk: Buffer, { atStatement, row = {} }: RefusingPostgresOptions): void {
  const kinds = kindsOf(chunk);
  if (kinds.includes('X')) return void socket.end();
  if (!kinds.includes('Q') && !kinds.includes('S')) return;
  const parsed = kinds.includes('S') ? [message('1'), message('2')] : [];
  const answered = atStatement ? [errorOf('ERROR', atStatement)] : [...parsed, ...rowOf(row)];
  socket.write(Buffer.concat([...answered, READY]));
}

function kindsOf(chunk: Buffer): string[] {
  const kinds: string[] = [];
  for (let at = 0; at + 5 <= chunk.length; at += 1 + chunk.readInt32BE(at + 1))
    kinds.push(String.fromCharCode(chunk[at] ?? 0));
  return kinds;
}

function rowOf(row: Readonly<Record<string, string>>): Buffer[] {
  const names = Object.keys(row);
  const count = int16(names.length);
  const columns = names.map((name) =>
    Buffer.concat([text(name), int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0)]),
  );
  const values = Object.values(row).map((value) =>
    Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]),
  );
  return [message('T', count, ...columns), message('D', count, ...values), message('C', text('SELECT 1'))];
}

function errorOf(severity: string, sqlState: string, said = 'a canary'): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${sqlState}`, `M${said}`].map(text);
  return message('E', ...fields, Buffer.of(0));
}

function message(kind: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(kind), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

const READY = message('Z', Buffer.from('I'));
