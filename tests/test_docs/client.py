"""`mmtmix` and `python` on the PATH of a page's shell: asks the process of the tests to run them.

The program is started as ``python -I -S client.py SOCKET WORDS...`` and imports nothing heavy: a
command of its own would import torch and the host stack for seconds.
"""

import json
import os
import socket
import sys


def main() -> int:
    """Send the words, the folder and the environment; print what comes back."""
    address, *words = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(address)
        request = dict(words=words, folder=os.getcwd(), environment=dict(os.environ))
        link.sendall(json.dumps(request).encode() + b'\n')
        with link.makefile() as answers:
            answer = json.loads(answers.readline())
    sys.stdout.write(answer['out'])
    sys.stderr.write(answer['err'])
    return answer['status']


if __name__ == '__main__':
    sys.exit(main())
