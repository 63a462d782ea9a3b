// Which panels the inspector has, in groups, and where each makes sense.

import type {StageHost} from '@hyperscope/elements';

export const TABS = [
  'registers',
  'vcpu',
  'descriptors',
  'tlb',
  'memory',
  'walk',
  'vmcs',
  'kvm-run',
  'exits',
  'translation',
  'devices',
  'screen',
  'statistics',
  'real',
] as const;
export type Tab = (typeof TABS)[number];

/** Panels that ask the session for what they show, and are loaded when one of them is first opened. */
export const ASKING_TABS = [
  'vcpu',
  'descriptors',
  'tlb',
  'memory',
  'kvm-run',
  'translation',
  'devices',
  'statistics',
] as const;
export type AskingTab = (typeof ASKING_TABS)[number];
export const asks = (tab: Tab): tab is AskingTab => ASKING_TABS.some(each => each === tab);

export const TAB_GROUPS: readonly {readonly title: string; readonly tabs: readonly Tab[]}[] = [
  {title: 'Processor', tabs: ['registers', 'vcpu', 'descriptors', 'tlb']},
  {title: 'Memory', tabs: ['memory', 'walk']},
  {title: 'Hypervisor', tabs: ['vmcs', 'kvm-run', 'exits', 'translation']},
  {title: 'Machine and run', tabs: ['devices', 'screen', 'statistics', 'real']},
];

export const TAB_NAMES: Readonly<Record<Tab, string>> = {
  registers: 'Registers',
  vcpu: 'vCPU',
  descriptors: 'GDT, IDT, TSS',
  tlb: 'TLB',
  memory: 'Memory',
  walk: 'Page walk',
  vmcs: 'VMCS',
  'kvm-run': 'kvm_run',
  exits: 'Exits',
  translation: 'Translation',
  devices: 'Devices',
  screen: 'Screen',
  statistics: 'Statistics',
  real: 'Real KVM',
};

export interface TabSetting {
  /** Whether something is entered and left: without that there is no VMCS and no exit. */
  readonly hasExits: boolean;
  readonly under: StageHost;
  readonly hasScreen: boolean;
  /** Whether the guest's kernel is translated. */
  readonly translates: boolean;
}

/** The panels that make sense for a machine, in their order. */
export function offeredTabs({hasExits, under, hasScreen, translates}: TabSetting): readonly Tab[] {
  return TABS.filter(tab => {
    switch (tab) {
      case 'vmcs':
      case 'exits':
        return hasExits;
      case 'translation':
        return translates;
      case 'vcpu':
        return under !== 'none';
      case 'kvm-run':
        return under === 'hardware';
      case 'screen':
        return hasScreen;
      default:
        return true;
    }
  });
}
