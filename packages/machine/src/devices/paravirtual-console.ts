// A console that a guest reaches by asking its hypervisor, with a hypercall instead of a device: here are the bytes, put them
// out. The call is this project's own; its number lies where KVM has none (Linux, include/uapi/linux/kvm_para.h).
//
//   VMCALL or VMMCALL with RAX = CONSOLE_WRITE, RBX = guest-physical address, RCX = bytes
//   RAX ← the number of bytes that were put out, or −EINVAL for none or too many, −EFAULT for bytes that are not in RAM

import {BankedDevice} from './banked-device.js';
import type {DeviceMemory} from './device-memory.js';
import {OutputLog, outputText} from './output-log.js';

/** "HS", and the first of its calls. */
export const CONSOLE_WRITE = 0x4853_0001n;
/** The most that one call puts out. */
const MOST_BYTES = 0x1_0000n;
/** Linux, include/uapi/linux/kvm_para.h: KVM_EFAULT, KVM_EINVAL, KVM_ENOSYS; negative in RAX. */
const EFAULT = -14n,
  EINVAL = -22n,
  ENOSYS = -1000n;

export class ParavirtualConsole extends BankedDevice {
  onNews: ((what: 'output', sentence: string) => void) | undefined;
  readonly #memory: DeviceMemory;
  readonly #log = new OutputLog();

  constructor(memory: DeviceMemory) {
    super('paravirtual-console', 4);
    this.#memory = memory;
  }

  /** Everything that was put out so far. */
  get output(): Uint8Array {
    return this.#log.first(this.word(0));
  }

  /** A hypercall with its number and the arguments in RBX, RCX, …; gives what RAX becomes, as a signed number. */
  call(number: bigint, [gpa = 0n, length = 0n]: readonly bigint[]): bigint {
    if (number !== CONSOLE_WRITE) return ENOSYS;
    if (length === 0n || length > MOST_BYTES) return EINVAL;
    const bytes = this.#memory.read(Number(gpa), Number(length));
    if (bytes === undefined) return EFAULT;
    const before = this.word(0);
    bytes.forEach((byte, index) => this.#log.put(before + index, byte));
    this.setWord(0, before + bytes.length);
    this.onNews?.('output', `${this.name} put out ${outputText(bytes)} at one hypercall`);
    return length;
  }
}
