// How a step of QEMU's role makes a system call.

import {callKernel} from './system-calls.js';
import type {Ioctl} from './system-calls.js';
import type {Host} from './host-context.js';
import type {StepResult} from '../host/host-program.js';

/** A step that makes an ioctl and comes back to the next step. */
export const ioctl =
  (name: Ioctl, say: string) =>
  (host: Host): StepResult => {
    callKernel(host, name, host.machine.registers.get('RIP') + 0x10n);
    return {say, go: 'processor'};
  };
