// The child process: one request over its channel, one answer, and it is gone. Here a guest may block or crash.

import {UserError, assertUnreachable} from '@hyperscope/base';
import {probeKvm} from '@hyperscope/kvm';
import {isChildRequest} from './kvm-child-messages.js';
import type {ChildReply, ChildRequest} from './kvm-child-messages.js';
import {recordOnKvm} from './kvm-recording.js';

async function answer(request: ChildRequest): Promise<ChildReply> {
  switch (request.kind) {
    case 'probe':
      return {kind: 'probed', answer: probeKvm()};
    case 'run':
      return {kind: 'recorded', recording: await recordOnKvm(request.options)};
    default:
      return assertUnreachable(request);
  }
}

async function reply(message: unknown): Promise<ChildReply> {
  if (!isChildRequest(message)) return {kind: 'refused', code: 'internal-error', message: 'No such request.'};
  try {
    return await answer(message);
  } catch (error) {
    if (!(error instanceof UserError)) throw error; // Our mistake: the process ends with a stack, and the parent says so.
    return {kind: 'refused', code: error.code, message: error.message};
  }
}

process.once('message', (message: unknown) => {
  void reply(message).then(result => {
    process.send?.(result, () => process.disconnect());
  });
});
// The parent is gone: nobody waits for the answer.
process.once('disconnect', () => process.exit());
