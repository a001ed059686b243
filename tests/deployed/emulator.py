"""A moto server on a free port of 127.0.0.1. Prints its address and serves until its standard input ends."""

import logging
import sys
import warnings

from moto.server import ThreadedMotoServer

# Not a line for each request, nor for each resource that a stack has in vain: `template.py deploy` lists those.
for name in ("werkzeug", "moto"):
    logging.getLogger(name).setLevel(logging.ERROR)
warnings.simplefilter("ignore")
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
# The end of whoever started it ends this too, also when that was killed.
sys.stdin.read()
