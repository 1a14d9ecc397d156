/** Whether a URL's host is this machine: the only place where plain http is allowed. Takes what `new URL` made of it. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
