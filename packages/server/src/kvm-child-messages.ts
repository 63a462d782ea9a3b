// What a program and its KVM child say to each other. The channel uses structured clone, so bytes travel as they are.

import type {KvmAnswer} from './kvm-host.js';
import type {Recording, RecordingOptions} from './kvm-recording.js';

export type ChildRequest = {readonly kind: 'probe'} | {readonly kind: 'run'; readonly options: RecordingOptions};

export type ChildReply =
  | {readonly kind: 'probed'; readonly answer: KvmAnswer}
  | {readonly kind: 'recorded'; readonly recording: Recording}
  | {readonly kind: 'refused'; readonly code: string; readonly message: string};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Whether a message came from our own child: nobody else can write to the channel, so its kind is all that is checked. */
export function isChildReply(message: unknown): message is ChildReply {
  return isObject(message) && 'kind' in message && ['probed', 'recorded', 'refused'].includes(String(message.kind));
}

export function isChildRequest(message: unknown): message is ChildRequest {
  return isObject(message) && 'kind' in message && ['probe', 'run'].includes(String(message.kind));
}
