// The TLB keeps a guest's translations over its exits, by ASID: what KVM carries out in the guest's place must forget them as the
// processor would have.

import {describe, expect, test} from 'vitest';
import {listing} from '../../conformance/listing.js';
import {startImage} from '../../conformance/start-state.js';
import {TEST_PORTS, runToEnd} from '../../testing/run-guest.js';
import type {HypervisorDefinition} from '../hypervisor-run.js';
import {HypervisorRun} from '../hypervisor-run.js';
import {svmNpt, svmShadow} from './svm-techniques.js';

/** 2 to 4 MiB are mapped to itself at first; then their entry of the directory leads to 0, and `forget` makes the TLB forget. */
const program = (forget: string): string => `
  c6 04 25 00 90 00 00 11             ; mov byte [9000h], 11h
  c6 04 25 00 90 20 00 22             ; mov byte [209000h], 22h
  8a 1c 25 00 90 20 00                ; mov bl, [209000h]
  48 c7 04 25 08 30 00 00 87 00 00 00 ; mov qword [3008h], 87h
  ${forget}
  8a 0c 25 00 90 20 00 f4             ; mov cl, [209000h] / hlt
`;
const WAYS = [
  ['MOV to CR3', '0f 20 d8 0f 22 d8'],
  ['INVLPG', '0f 01 3c 25 00 90 20 00'],
  ['a change of CR4.PGE', '0f 20 e0 35 80 00 00 00 0f 22 e0'],
] as const;
const TECHNIQUES: readonly (readonly [string, HypervisorDefinition])[] = [
  ['svm-npt', svmNpt()],
  ['svm-shadow', svmShadow()],
];

describe.each(TECHNIQUES)('on %s', (_, definition) => {
  test.each(WAYS)('%s makes a changed page-table entry count', (_name, forget) => {
    const image = startImage({title: '', mode: 'long', code: listing(program(forget)), expect: {}});
    const run = new HypervisorRun({image, ports: TEST_PORTS, profile: undefined, costModel: undefined}, definition);
    expect(runToEnd(run, 20_000).outcome).toEqual({kind: 'halted'});
    const {RBX = 0n, RCX = 0n} = run.guestRegisters();
    expect([RBX & 0xffn, RCX & 0xffn]).toEqual([0x22n, 0x11n]);
  });
});
