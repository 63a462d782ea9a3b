// The post-mortem of a triple fault: what ran last, what it raised, and why each handler could not run.

import {hex} from '@hyperscope/base';
import {exceptionAt} from '@hyperscope/isa';
import type {FaultLink} from '@hyperscope/machine';

/** `last` is how `lastInstruction` tells it. */
export function postMortem(chain: readonly FaultLink[], last: string): string {
  const links = chain.map((link, index) => {
    const isLast = index === chain.length - 1;
    return `${nameOf(link)}${isLast ? ' was raised' : ' could not be delivered'}: ${link.why}`;
  });
  const story = links.length === 0 ? '' : ` ${links.join('. Then ')}.`;
  return `Triple fault: the processor shut down. The last instruction was ${last}.${story}`;
}

function nameOf({vector, errorCode, address}: FaultLink): string {
  const name = exceptionAt(vector)?.name ?? `vector ${vector}`;
  const code = errorCode === undefined ? '' : ` (error code ${hex(errorCode)})`;
  return `${name}${code}${address === undefined ? '' : ` at address ${hex(address)}`}`;
}
