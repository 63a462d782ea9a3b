// The way to real KVM: the server where there is one, else the recording that ships. Nothing here trusts the
// answer: a static host may give its own page for any address.

import type {HostFingerprint} from '@hyperscope/trace';
import type {RealProgram, RunOnServer} from './kvm-socket.js';

/** What can be had here. */
export type KvmAvailability =
  | {readonly kind: 'live'; readonly flavour: string; readonly kernel: string}
  /** `why`: a sentence, from the server when it knows better. */
  | {readonly kind: 'recording'; readonly why: string};

export type KvmRecord =
  | {
      readonly kind: 'record';
      readonly from: 'live' | 'recording';
      readonly bytes: Uint8Array;
      readonly why: string | undefined;
    }
  | {readonly kind: 'nothing'; readonly why: string};

type Fetch = typeof fetch;

const NO_SERVER = 'This page was opened without Hyperscope’s server, which is what can reach /dev/kvm.';

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isFingerprint(value: unknown): value is Pick<HostFingerprint, 'flavour' | 'kernel'> {
  return isObject(value) && typeof value['flavour'] === 'string' && typeof value['kernel'] === 'string';
}

/**
 * Asks the server whether it has KVM. Never throws: no server is an answer too. Where the page lies on a plain web server the file
 * `api/kvm` beside it answers, so that nothing is asked for in vain.
 */
export async function askKvm(get: Fetch): Promise<KvmAvailability> {
  try {
    const response = await get('./api/kvm', {signal: AbortSignal.timeout(4000), headers: {accept: 'application/json'}});
    const answer: unknown = response.ok ? await response.json() : undefined;
    if (!isObject(answer)) return {kind: 'recording', why: NO_SERVER};
    if (answer['available'] === true && isFingerprint(answer['fingerprint'])) {
      const {flavour, kernel} = answer['fingerprint'];
      return {kind: 'live', flavour, kernel};
    }
    return {kind: 'recording', why: typeof answer['message'] === 'string' ? answer['message'] : NO_SERVER};
  } catch {
    // A refused connection, a timeout and a page instead of JSON all mean the same: there is no server of ours.
    return {kind: 'recording', why: NO_SERVER};
  }
}

export interface RealRunParts {
  readonly fetch: Fetch;
  readonly runOnServer: RunOnServer;
  /** Hears in words how a run on the server stands. */
  readonly tell: (standing: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs a program on the server's KVM; on any trouble the recording that ships takes the place of a shipped guest's run, and `why`
 * says so. Of an edited program there is none.
 */
export async function realRun(
  parts: RealRunParts,
  availability: KvmAvailability,
  program: RealProgram,
): Promise<KvmRecord> {
  const live =
    availability.kind === 'live' ? await parts.runOnServer(program, parts.tell, parts.signal) : {why: availability.why};
  if (live instanceof Uint8Array) return {kind: 'record', from: 'live', bytes: live, why: undefined};
  if (!('guest' in program))
    return {kind: 'nothing', why: `${live.why} Recordings are of the programs as they ship, and this is another one.`};
  const recording = await loadRecording(parts.fetch, program.guest);
  if (recording !== undefined) return {kind: 'record', from: 'recording', bytes: recording, why: live.why};
  return {kind: 'nothing', why: `${live.why} No recording of this guest ships with the lab either.`};
}

async function loadRecording(get: Fetch, guest: string): Promise<Uint8Array | undefined> {
  try {
    const response = await get(`./recordings/${encodeURIComponent(guest)}.kvm.hsr`);
    const isPage = response.headers.get('content-type')?.startsWith('text/html') ?? false;
    return response.ok && !isPage ? new Uint8Array(await response.arrayBuffer()) : undefined;
  } catch {
    // Offline, and not kept: the same as not shipped.
    return undefined;
  }
}
