// Going back in time over XMM and x87 registers: they are a bank of the record like memory.

import {expect, test} from 'vitest';
import {SimulationHost} from '../simulation-host.js';
import {SHIPPED} from '../shipped.js';

// mov eax, cr4; or ah, 2; mov cr4, eax; fninit; pcmpeqb xmm0, xmm0; pxor xmm0, xmm0; pcmpeqd xmm1, xmm1; hlt
const CODE = '0f 20 e0 80 cc 02 0f 22 e0 db e3 66 0f 74 c0 66 0f ef c0 66 0f 76 c9 f4';

test.each(['bare', 'vtx-ept', 'vtx-shadow'])(
  'on %s a moment that is gone back to has the XMM registers of then',
  technique => {
    const bytes = Uint8Array.from(CODE.split(' '), byte => parseInt(byte, 16));
    const session = new SimulationHost(SHIPPED).open({
      guest: {id: 'sse', title: 'sse', bytes, lines: [], loadAddress: 0x8000, memoryMiB: 2, mode: 'real'},
      technique,
    });
    const vectors = (): string => {
      const bank = session.driver.run.banks.find(each => each.name === 'vector');
      return Buffer.from(bank?.bytes ?? []).toString('hex');
    };
    const states = [vectors()];
    while (!session.record.finished) {
      session.driver.advance();
      states.push(vectors());
    }
    // At first, after FNINIT (and after PXOR again), after each PCMPEQ.
    expect(new Set(states).size).toBe(4);
    for (let index = states.length - 1; index >= 0; index--) {
      session.seek(index);
      expect(vectors()).toBe(states[index]);
    }
  },
);
