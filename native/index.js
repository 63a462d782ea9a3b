// Loads the addon if it is there. Importing this never throws: `native` is undefined and `reason` says why.

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

const require = createRequire(import.meta.url);

function whyNotBuilt(error) {
  try {
    const {code, message} = JSON.parse(
      readFileSync(fileURLToPath(new URL('./build/reason.json', import.meta.url)), 'utf8'),
    );
    if (code !== 'BUILT') return {code, message};
  } catch {
    // Never attempted: the sentence below says what to do.
  }
  if (error?.code === 'MODULE_NOT_FOUND') {
    return {code: 'ENOADDON', message: 'The KVM addon has not been built. Run: node native/scripts/build.mjs'};
  }
  return {
    code: 'ENOADDON',
    message: `The KVM addon was built but does not load (${error?.message}). Run: node native/scripts/build.mjs --force`,
  };
}

function load() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    const message = `KVM is Linux on x86-64, and this is ${process.platform} on ${process.arch}.`;
    return {native: undefined, reason: {code: 'EPLATFORM', message}};
  }
  try {
    // 'Sanitized' is for the test run that AddressSanitizer watches: scripts/build.mjs --sanitize.
    const folder = process.env.HYPERSCOPE_NATIVE_BUILD === 'Sanitized' ? 'Sanitized' : 'Release';
    return {native: require(`./build/${folder}/hyperscope_kvm.node`), reason: undefined};
  } catch (error) {
    return {native: undefined, reason: whyNotBuilt(error)};
  }
}

export const {native, reason} = load();
