// A vitest reporter that writes how many tests passed, failed and were skipped to the file named by HYPERSCOPE_COUNTS.

import {writeFileSync} from 'node:fs';

export default class VitestCounts {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = {passed: 0, failed: unhandledErrors.length, skipped: 0};
    for (const module of modules) {
      if (module.state() === 'failed' && [...module.children.allTests()].length === 0) counts.failed++;
      for (const test of module.children.allTests()) {
        const {state} = test.result();
        counts[state === 'pending' ? 'skipped' : state]++;
      }
    }
    if (process.env.HYPERSCOPE_COUNTS) writeFileSync(process.env.HYPERSCOPE_COUNTS, JSON.stringify(counts));
  }
}
