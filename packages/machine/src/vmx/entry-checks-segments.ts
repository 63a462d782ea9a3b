// VM-entry checks on the guest's segment registers, visible and hidden parts.
// SDM vol. 3C, "Checks on Guest Segment Registers". Access rights: 3:0 type, 4 S, 6:5 DPL, 7 P, 13 L, 14 D/B, 15 G, 16 unusable.

import {bit, bits} from '@hyperscope/base';
import type {DescriptorRegister} from '@hyperscope/isa';
import type {CheckList, CheckedValue} from './check-list.js';
import type {EntryContext} from './entry-context.js';
import {SEGMENT_FIELDS} from './segment-fields.js';

const DATA = ['SS', 'DS', 'ES', 'FS', 'GS'] as const;
const RESERVED_RIGHTS = 0xfffe_0f00n;

interface Segment {
  readonly name: DescriptorRegister;
  readonly selector: bigint;
  readonly base: bigint;
  readonly limit: bigint;
  readonly rights: bigint;
  readonly usable: boolean;
  readonly type: number;
  readonly dpl: bigint;
  readonly rpl: bigint;
  readonly shown: CheckedValue;
}

function segment(context: EntryContext, name: DescriptorRegister): Segment {
  const fields = SEGMENT_FIELDS[name];
  const rights = context.get(fields.rights);
  const selector = context.get(fields.selector);
  return {
    name,
    rights,
    selector,
    base: context.get(fields.base),
    limit: context.get(fields.limit),
    usable: !bit(rights, 16),
    type: Number(bits(rights, 3, 0)),
    dpl: bits(rights, 6, 5),
    rpl: bits(selector, 1, 0),
    shown: [fields.rights, rights],
  };
}

export function checkGuestSegments(context: EntryContext, list: CheckList): void {
  const cs = segment(context, 'CS');
  const ss = segment(context, 'SS');
  const tr = segment(context, 'TR');
  const ldtr = segment(context, 'LDTR');
  list.must(!bit(tr.selector, 2), 'guest TR selector: TI = 0', ['GUEST_TR_SELECTOR', tr.selector]);
  if (ldtr.usable)
    list.must(!bit(ldtr.selector, 2), 'guest LDTR selector: TI = 0', ['GUEST_LDTR_SELECTOR', ldtr.selector]);
  checkBases(context, list);
  if (context.virtual8086) checkVirtual8086(context, list);
  else {
    if (!context.controls.unrestrictedGuest) {
      list.must(
        ss.rpl === cs.rpl,
        'guest SS.RPL = CS.RPL',
        ['GUEST_SS_SELECTOR', ss.selector],
        ['GUEST_CS_SELECTOR', cs.selector],
      );
    }
    checkCodeSegment(context, list, cs, ss);
    checkStackSegment(context, list, cs, ss);
    for (const name of ['DS', 'ES', 'FS', 'GS'] as const) checkDataSegment(context, list, segment(context, name));
  }
  checkTaskRegister(context, list, tr);
  if (ldtr.usable) checkLocalTable(list, ldtr);
}

function checkBases(context: EntryContext, list: CheckList): void {
  for (const name of ['TR', 'FS', 'GS', 'LDTR'] as const) {
    const {base, usable} = segment(context, name);
    if (name === 'LDTR' && !usable) continue;
    list.must(context.canonical(base), `guest ${name} base is canonical`, [`GUEST_${name}_BASE`, base]);
  }
  for (const name of ['CS', 'SS', 'DS', 'ES'] as const) {
    const {base, usable} = segment(context, name);
    if (name !== 'CS' && !usable) continue;
    list.must(base >> 32n === 0n, `guest ${name} base: bits 63:32 are 0`, [`GUEST_${name}_BASE`, base]);
  }
}

function checkVirtual8086(context: EntryContext, list: CheckList): void {
  for (const name of ['CS', ...DATA] as const) {
    const {selector, base, limit, rights} = segment(context, name);
    list.must(
      base === selector << 4n,
      `virtual-8086 guest: ${name} base = selector × 16`,
      [`GUEST_${name}_BASE`, base],
      [`GUEST_${name}_SELECTOR`, selector],
    );
    list.must(limit === 0xffffn, `virtual-8086 guest: ${name} limit = FFFFh`, [`GUEST_${name}_LIMIT`, limit]);
    list.must(
      rights === 0xf3n,
      `virtual-8086 guest: ${name} access rights = F3h`,
      [`GUEST_${name}_ACCESS_RIGHTS`, rights],
      context.field('GUEST_RFLAGS'),
    );
  }
}

/** limit[11:0] with a 0 bit ⇒ G = 0; limit[31:20] with a 1 bit ⇒ G = 1. */
function checkGranularity(list: CheckList, s: Segment): void {
  const g = bit(s.rights, 15);
  const limit = [`GUEST_${s.name}_LIMIT`, s.limit] as const;
  list.must(!g || bits(s.limit, 11, 0) === 0xfffn, `guest ${s.name}: G = 1 needs limit[11:0] all ones`, limit, s.shown);
  list.must(g || bits(s.limit, 31, 20) === 0n, `guest ${s.name}: G = 0 needs limit[31:20] all zeros`, limit, s.shown);
}

function checkCommon(list: CheckList, s: Segment, kind: 'memory' | 'system'): void {
  list.must(bit(s.rights, 4) === (kind === 'memory'), `guest ${s.name}: S = ${kind === 'memory' ? 1 : 0}`, s.shown);
  list.must(bit(s.rights, 7), `guest ${s.name}: present`, s.shown);
  list.must((s.rights & RESERVED_RIGHTS) === 0n, `guest ${s.name}: reserved access-rights bits are 0`, s.shown);
  checkGranularity(list, s);
}

function checkCodeSegment(context: EntryContext, list: CheckList, cs: Segment, ss: Segment): void {
  const types = context.controls.unrestrictedGuest ? [3, 9, 11, 13, 15] : [9, 11, 13, 15];
  list.must(
    types.includes(cs.type),
    `guest CS type is ${context.controls.unrestrictedGuest ? '3 or ' : ''}9, 11, 13 or 15 (accessed code)`,
    cs.shown,
    context.field('GUEST_RFLAGS'),
  );
  checkCommon(list, cs, 'memory');
  list.must(
    !(context.ia32eGuest && bit(cs.rights, 13) && bit(cs.rights, 14)),
    'guest CS: D = 0 where L = 1 in IA-32e mode',
    cs.shown,
  );
  if (cs.type === 3) list.must(cs.dpl === 0n, 'guest CS of type 3: DPL = 0', cs.shown);
  if (cs.type === 9 || cs.type === 11)
    list.must(cs.dpl === ss.dpl, 'guest CS is non-conforming: its DPL = SS.DPL', cs.shown, ss.shown);
  if (cs.type === 13 || cs.type === 15)
    list.must(cs.dpl <= ss.dpl, 'guest CS is conforming: its DPL ≤ SS.DPL', cs.shown, ss.shown);
}

function checkStackSegment(context: EntryContext, list: CheckList, cs: Segment, ss: Segment): void {
  if (!context.controls.unrestrictedGuest)
    list.must(ss.dpl === ss.rpl, 'guest SS.DPL = SS.RPL', ss.shown, ['GUEST_SS_SELECTOR', ss.selector]);
  if (cs.type === 3 || !context.protection)
    list.must(
      ss.dpl === 0n,
      'guest SS.DPL = 0 in real mode, and with CS of type 3',
      ss.shown,
      context.field('GUEST_CR0'),
    );
  if (!ss.usable) return;
  list.must(ss.type === 3 || ss.type === 7, 'guest SS type is 3 or 7 (accessed, writable)', ss.shown);
  checkCommon(list, ss, 'memory');
}

function checkDataSegment(context: EntryContext, list: CheckList, s: Segment): void {
  if (!s.usable) return;
  list.must((s.type & 1) === 1, `guest ${s.name}: accessed`, s.shown);
  list.must((s.type & 8) === 0 || (s.type & 2) !== 0, `guest ${s.name}: a code segment is readable`, s.shown);
  if (!context.controls.unrestrictedGuest && s.type <= 11)
    list.must(s.dpl >= s.rpl, `guest ${s.name}: DPL ≥ RPL`, s.shown, [`GUEST_${s.name}_SELECTOR`, s.selector]);
  checkCommon(list, s, 'memory');
}

function checkTaskRegister(context: EntryContext, list: CheckList, tr: Segment): void {
  list.must(tr.usable, 'guest TR is usable', tr.shown);
  list.must(
    tr.type === 11 || (tr.type === 3 && !context.ia32eGuest),
    `guest TR type is 11 (busy TSS)${context.ia32eGuest ? '' : ' or 3 (busy 16-bit TSS)'}`,
    tr.shown,
  );
  checkCommon(list, tr, 'system');
}

function checkLocalTable(list: CheckList, ldtr: Segment): void {
  list.must(ldtr.type === 2, 'guest LDTR type is 2', ldtr.shown);
  checkCommon(list, ldtr, 'system');
}
