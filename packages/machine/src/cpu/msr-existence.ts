// Which model-specific registers a processor has: each came with a feature, and where the feature is absent RDMSR and WRMSR
// give #GP(0). SDM vol. 4, "Model-Specific Registers (MSRs)", the column that says what an MSR depends on.

import {msrAt} from '@hyperscope/isa';
import type {MsrName} from '@hyperscope/isa';
import type {ProcessorProfile} from './core.js';
import {isSince} from './features.js';
import type {ProcessorFeatures} from './features.js';

type Question = (features: ProcessorFeatures, profile: ProcessorProfile) => boolean;

const sysenter: Question = f => f.sep;
const syscall: Question = f => f.syscall;
const longMode: Question = f => f.lm;

/** An MSR that is not named here exists wherever RDMSR does, or is asked for by its unit. */
const NEEDS: ReadonlyMap<MsrName, Question> = new Map<MsrName, Question>([
  ['IA32_TIME_STAMP_COUNTER', f => f.tsc],
  ['IA32_APIC_BASE', (f, profile) => f.apic && isSince(profile, 'p6')],
  ['IA32_SYSENTER_CS', sysenter],
  ['IA32_SYSENTER_ESP', sysenter],
  ['IA32_SYSENTER_EIP', sysenter],
  // Since the Pentium 4; AMD has other registers for it.
  ['IA32_MISC_ENABLE', (f, {maker}) => f.lm && maker === 'Intel'],
  ['IA32_DEBUGCTL', (_, profile) => isSince(profile, 'p6')],
  ['IA32_PAT', f => f.pat],
  ['IA32_EFER', f => f.syscall || f.nx || f.lm],
  ['IA32_STAR', syscall],
  ['IA32_LSTAR', syscall],
  ['IA32_CSTAR', syscall],
  ['IA32_FMASK', syscall],
  ['IA32_FS_BASE', longMode],
  ['IA32_GS_BASE', longMode],
  ['IA32_KERNEL_GS_BASE', longMode],
  ['IA32_TSC_AUX', f => f.rdtscp || f.rdpid],
]);

/** The name of the MSR of a number, where the processor may have it. */
export function existingMsr(
  index: number,
  {features, profile}: {readonly features: ProcessorFeatures; readonly profile: ProcessorProfile},
): MsrName | undefined {
  const name = msrAt(index)?.name;
  return name === undefined || (NEEDS.get(name)?.(features, profile) ?? true) ? name : undefined;
}
