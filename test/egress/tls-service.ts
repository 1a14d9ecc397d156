/** An https service on loopback for the length of a test, with a self-signed certificate that nobody trusts. */
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** For 127.0.0.1 and localhost. Made for these tests, and used nowhere else. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUZvZNPN9HVngbVk3Ull16WPyAPLswCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIbG9vcGJhY2swIBcNMjYxMTI5MTAxNjIzWhgPMjEyNjExMDUx
MDE2MjNaMBMxETAPBgNVBAMMCGxvb3BiYWNrMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAExA5oRmBaOHcsiN37IoqSTGioGFzsE2M81o3lD66by7ewouYjn38+Uq8s
u17IhYzC3mcl/uCbhQgL9WyGLrBFy6NvMG0wHQYDVR0OBBYEFKX+R4U6soq3EiFT
ItMxT4i48l5RMB8GA1UdIwQYMBaAFKX+R4U6soq3EiFTItMxT4i48l5RMA8GA1Ud
EwEB/wQFMAMBAf8wGgYDVR0RBBMwEYcEfwAAAYIJbG9jYWxob3N0MAoGCCqGSM49
BAMCA0gAMEUCIQC4Vo6exJErUVouxdwOuf7v0NugrKL5uhrDmvekVNo9tAIgB6rN
JWCbUHlmA+FJaZj+HTn3QC2IwGN6d9L82eoCAkU=
-----END CERTIFICATE-----
`;

const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgq5TjHcX40QJlLnrX
mPjGWVwo5aQBRfpOUcCvpd1GOY6hRANCAATEDmhGYFo4dyyI3fsiipJMaKgYXOwT
YzzWjeUPrpvLt7Ci5iOffz5Sryy7XsiFjMLeZyX+4JuFCAv1bIYusEXL
-----END PRIVATE KEY-----
`;

export async function startTlsService(answer: RequestListener): Promise<string> {
  const server = createServer({ cert: CERTIFICATE, key: KEY }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
