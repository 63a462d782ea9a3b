// What the server asks of this machine's KVM. The real answer is in kvm-child-host.ts; tests give their own.

import type {HostFingerprint} from '@hyperscope/trace';

/** What /dev/kvm is here. */
export type KvmAnswer =
  | {readonly available: true; readonly fingerprint: HostFingerprint}
  | {readonly available: false; readonly code: string; readonly message: string};

/** A guest to run: one that ships, or bytes with the place and the mode to start them in. */
export type KvmProgram =
  | {readonly kind: 'shipped'; readonly id: string}
  | {
      readonly kind: 'raw';
      readonly bytes: Uint8Array;
      readonly loadAddress: number;
      readonly mode: 'real' | 'protected' | 'long';
    };

export interface KvmLimits {
  /** KVM_RUN is not called again after so many exits. */
  readonly exits: number;
  /** Wall time of the run in milliseconds; then the child process is killed. */
  readonly milliseconds: number;
  /** Guest memory in MiB. */
  readonly memoryMiB: number;
}

export interface KvmHost {
  answer(): Promise<KvmAnswer>;
  /**
   * Runs a guest in a child process and gives its record as a file's bytes.
   * @throws UserError when the guest does not exist, or KVM failed.
   */
  run(program: KvmProgram, limits: KvmLimits, signal: AbortSignal): Promise<Uint8Array>;
}
