// What the server asks of this machine's KVM. The real answer is in kvm-child-host.ts; tests give their own.

import type {HostFingerprint} from '@hyperscope/trace';
import type {Recording, RecordingOptions} from './kvm-recording.js';

/** What /dev/kvm is here. */
export type KvmAnswer =
  | {readonly available: true; readonly fingerprint: HostFingerprint}
  | {readonly available: false; readonly code: string; readonly message: string};

/** A run, less what the host knows itself. */
export type KvmRunRequest = Omit<RecordingOptions, 'host'>;

export interface KvmHost {
  /** What KVM is here, or why there is none. */
  answer(): Promise<KvmAnswer>;
  /**
   * Runs a guest in a child process. A little after its time limit the process is killed.
   * @throws UserError when there is no KVM, it failed, or `signal` aborted ('cancelled').
   */
  run(request: KvmRunRequest, signal: AbortSignal): Promise<Recording>;
}
