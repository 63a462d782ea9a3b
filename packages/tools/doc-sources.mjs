// The sources that the documentation may name, and where each is found. A page defines those that it uses at its end, `[sdm]: https://…`,
// so that it reads well anywhere; a test holds the definitions against this list. No test asks a network: who adds an address has looked it up.

const kernel = path => `https://github.com/torvalds/linux/blob/v6.1/${path}`;
const xen = path => `https://github.com/xen-project/xen/blob/RELEASE-4.18.0/xen/${path}`;

export const SOURCES = {
  sdm: 'https://www.intel.com/sdm',
  apm: 'https://www.amd.com/content/dam/amd/en/documents/processor-tech-docs/programmer-references/24593.pdf',
  pg74: 'https://doi.org/10.1145/361011.361073',
  creasy81: 'https://doi.org/10.1147/rd.255.0483',
  vanvleck: 'https://www.multicians.org/thvv/360-67.html',
  gc20: 'http://www.bitsavers.org/pdf/ibm/370/VM_370/Release_6/GC20-1807-7_VM370_System_Programmers_Guide_Rel_6_4-81.pdf',
  ri00: 'https://www.usenix.org/legacy/events/sec00/full_papers/robin/robin_html/index.html',
  sug01: 'https://www.usenix.org/legacy/publications/library/proceedings/usenix01/sugerman/sugerman_html/',
  barham03: 'https://doi.org/10.1145/945445.945462',
  aa06: 'https://doi.org/10.1145/1168857.1168860',
  ols07: 'https://www.kernel.org/doc/ols/2007/ols2007v1-pages-225-230.pdf',
  bh08: 'https://doi.org/10.1145/1346281.1346286',
  atc12:
    'https://www.usenix.org/conference/usenixfederatedconferencesweek/software-techniques-avoiding-hardware-virtualization-exits',
  vmware12: 'https://doi.org/10.1145/2382553.2382554',
  waldspurger95: 'https://www.waldspurger.org/carl/papers/stride-mit-tm528.pdf',
  'kvm-api': 'https://docs.kernel.org/virt/kvm/api.html',
  'kvm-mmu': 'https://docs.kernel.org/virt/kvm/x86/mmu.html',
  'kvm-vmx': kernel('arch/x86/kvm/vmx/vmx.c'),
  'kvm-svm': kernel('arch/x86/kvm/svm/svm.c'),
  'kvm-x86': kernel('arch/x86/kvm/x86.c'),
  'xen-h': xen('include/public/xen.h'),
  'xen-arch': xen('include/public/arch-x86/xen-x86_64.h'),
  'xen-mm': xen('arch/x86/mm.c'),
  okabe: 'https://jfly.uni-koeln.de/color/',
};
