/** What is used of modbus-serial: its ports, which know the two kinds of frames, and its checksum. Its index would load serialport at once. */

declare module "modbus-serial/ports/tcpport.js" {
  import type { EventEmitter } from "node:events";
  import type { Socket } from "node:net";

  /** Emits "data" with each answer, in the frame of a serial line, after it has set `_transactionIdRead`. */
  export default class TcpPort extends EventEmitter {
    constructor(options: { socket: Socket });
    readonly _transactionIdRead: number;
    /** Of the next request. */
    readonly _transactionIdWrite: number;
    write(request: Buffer): void;
  }
}

declare module "modbus-serial/ports/rtubufferedport.js" {
  import type { EventEmitter } from "node:events";

  interface SerialSettings {
    readonly baudRate: number;
    readonly parity: "none" | "even" | "odd";
    readonly dataBits: 7 | 8;
    readonly stopBits: 1 | 2;
  }

  /** Emits "data" with each frame that may answer the last request, its checksum unchecked; "error" and "close" of the line. */
  export default class RTUBufferedPort extends EventEmitter {
    constructor(path: string, settings: SerialSettings);
    /** What has come and is no frame yet. */
    _buffer: Buffer;
    readonly isOpen: boolean;
    open(opened: (error: Error | null) => void): void;
    close(closed: (error: Error | null) => void): void;
    write(request: Buffer): void;
  }
}

declare module "modbus-serial/utils/crc16.js" {
  export default function crc16(bytes: Uint8Array): number;
}
