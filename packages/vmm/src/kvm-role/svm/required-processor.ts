// What kvm_amd needs of a processor: SVM, and nested paging where the technique is built on it.

import {UserError} from '@hyperscope/base';
import {PROFILES, featuresOf} from '@hyperscope/machine';
import type {ProcessorProfile} from '@hyperscope/machine';
import type {MmuKind} from '../hardware.js';

/** What the profile lacks, in the words of the manual; undefined where nothing is missing. */
export function lackOfSvm(profile: ProcessorProfile, mmu: MmuKind): string | undefined {
  const features = featuresOf(profile);
  if (!features.svm) return 'no SVM (CPUID.8000_0001h:ECX[2] = 0)';
  if (mmu === 'nested' && !features.nestedPaging) return 'SVM without nested paging (CPUID.8000_000Ah:EDX[0] = 0)';
  return undefined;
}

/** @throws UserError 'processor-lacks-svm', which names the processors that will do. */
export function requireSvm(profile: ProcessorProfile, mmu: MmuKind): void {
  const missing = lackOfSvm(profile, mmu);
  if (missing === undefined) return;
  const fitting = PROFILES.filter(each => lackOfSvm(each, mmu) === undefined).map(({id}) => id);
  const what = mmu === 'nested' ? 'SVM with nested paging' : 'SVM with shadow paging';
  throw new UserError(
    'processor-lacks-svm',
    `${what} cannot run on the processor ${profile.id}: it has ${missing}. Choose one of: ${fitting.join(', ')}; or run the guest without a hypervisor.`,
  );
}
