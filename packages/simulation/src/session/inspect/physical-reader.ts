// Host-physical memory of a state, for walks: all ones where there is none, as on a bus.

import type {StateView} from '../state-view.js';
import type {PhysicalReader} from './looking-walk.js';

export function physicalReader({memory}: StateView): PhysicalReader {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  return (address, bytes) => {
    if (address + bytes > memory.length) return (1n << BigInt(8 * bytes)) - 1n;
    return bytes === 8 ? view.getBigUint64(address, true) : BigInt(view.getUint32(address, true));
  };
}
