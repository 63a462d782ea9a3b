// Which browser the tests run in: the one you name, the one you have, or one that is fetched.

import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {aptInstall, canInstall, findProgram} from './system-packages.mjs';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** What to do, for who has no browser and cannot be given one. */
export const ADVICE =
  'No Chromium was found and none could be fetched: install Chromium or Chrome, or set CHROMIUM to the path of one.';

/** Playwright's own build: where it is, after fetching it when it is not there yet. Undefined when that fails. */
async function fromPlaywright() {
  const {chromium} = await import('playwright');
  if (existsSync(chromium.executablePath())) return chromium.executablePath();
  const args = ['node_modules/playwright/cli.js', 'install', 'chromium'];
  spawnSync(process.execPath, args, {stdio: 'inherit', timeout: 300_000, cwd: new URL('../../', import.meta.url)});
  return existsSync(chromium.executablePath()) ? chromium.executablePath() : undefined;
}

/** The path of a Chromium, or undefined: then ADVICE says what to do. */
export async function provideChromium(env = process.env) {
  if (env.CHROMIUM !== undefined && env.CHROMIUM !== '') return existsSync(env.CHROMIUM) ? env.CHROMIUM : undefined;
  const found = findProgram(PROGRAMS, env.PATH) ?? (existsSync(MAC) ? MAC : undefined);
  if (found !== undefined) return found;
  console.log('No Chromium on PATH: asking Playwright for its own.');
  const fetched = await fromPlaywright();
  if (fetched !== undefined) return fetched;
  if (canInstall() && aptInstall(['chromium'])) return findProgram(PROGRAMS, env.PATH);
  return undefined;
}
