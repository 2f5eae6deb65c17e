"""Modbus devices of an independent make (Debian's python3-pymodbus), for tests.

    pymodbus-server.py tcp             listens on a free port of loopback and prints it
    pymodbus-server.py rtu /dev/pts/7  answers on a serial line

Reads JSON lines: {"unit": 3, "table": "holding", "register": 10, "values": [16712, 0]} sets registers, and answers each with "ok". A register
that was never set does not exist. Ends with its standard input.
"""

import asyncio
import json
import logging
import sys

from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer

STORES = {"holding": "h", "input": "i", "coil": "c", "discrete": "d"}


def take(context, line):
    order = json.loads(line)
    unit = order["unit"]
    if unit not in context:
        blocks = {key: ModbusSparseDataBlock({}) for key in ("hr", "ir", "co", "di")}
        context[unit] = ModbusSlaveContext(zero_mode=True, **blocks)
    block = context[unit].store[STORES[order["table"]]]
    for offset, value in enumerate(order["values"]):
        block.values[order["register"] + offset] = value
    block.address = min(block.values)


async def main():
    logging.disable(logging.CRITICAL)  # it calls the end of a connection an error
    context = ModbusServerContext(single=False)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    if sys.argv[1] == "tcp":
        server = ModbusTcpServer(context, address=("127.0.0.1", 0))
        serving = asyncio.ensure_future(server.serve_forever())
        await server.serving
        print(server.server.sockets[0].getsockname()[1], flush=True)
    else:
        server = ModbusSerialServer(context, port=sys.argv[2], baudrate=9600, ignore_missing_slaves=True)
        await server.start()
        serving = asyncio.ensure_future(server.serve_forever())
        print("ready", flush=True)
    while line := await reader.readline():
        take(context, line)
        print("ok", flush=True)
    serving.cancel()


asyncio.run(main())
