"""A service manager's notification socket: prints each datagram as a line of JSON, with who sent it."""
import json
import socket
import struct
import sys

address = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
receiver.bind("\0" + address[1:] if address.startswith("@") else address)
print(json.dumps({"listening": address}), flush=True)
while True:
    data, ancillary, _, _ = receiver.recvmsg(65536, socket.CMSG_SPACE(12))
    pid = struct.unpack("iII", ancillary[0][2][:12])[0] if ancillary else None
    print(json.dumps({"pid": pid, "lines": data.decode().split("\n")}), flush=True)
