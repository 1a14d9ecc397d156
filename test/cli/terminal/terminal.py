"""Runs a command on a terminal of its own: waits for a text, types, and prints all that the terminal showed."""
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

DEADLINE_S = 30

wait_for, typed, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))

shown = b""
answered = False
deadline = time.monotonic() + DEADLINE_S
while time.monotonic() < deadline:
    if not select.select([terminal], [], [], 0.1)[0]:
        continue
    try:
        chunk = os.read(terminal, 65536)
    except OSError:  # Linux: the other side is closed
        break
    if not chunk:  # macOS
        break
    shown += chunk
    if not answered and wait_for.encode() in shown:
        answered = True
        os.write(terminal, typed.encode())
else:
    os.kill(pid, 9)

_, status = os.waitpid(pid, 0)
print(json.dumps({"exitCode": os.waitstatus_to_exitcode(status), "shown": shown.decode("utf-8", "replace")}))
