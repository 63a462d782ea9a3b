// GET /api/kvm says what /dev/kvm is here; POST /api/kvm/run runs a guest on it and answers with the record.
// The body of a run is JSON, `{"guest": "hello-kvm"}`, or an image as application/octet-stream with ?at=0x8000&mode=long.

import type {FastifyInstance, FastifyReply} from 'fastify';
import {UserError} from '@hyperscope/base';
import * as v from 'valibot';
import {KVM_DEPTHS} from '@hyperscope/kvm';
import type {KvmHost} from './kvm-host.js';
import {postedProgram, shippedProgram} from './kvm-program.js';
import type {KvmProgram} from './kvm-program.js';
import type {RunQueue} from './run-queue.js';

/** An image larger than this is refused before it is read. */
export const LARGEST_IMAGE = 1024 * 1024;

const Depth = v.optional(v.picklist(KVM_DEPTHS), 'exits');
const Shipped = v.strictObject({guest: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/)), depth: Depth});
const Placement = v.strictObject({
  at: v.optional(v.pipe(v.string(), v.regex(/^0x[0-9a-f]{1,8}$/i, 'a hexadecimal address such as 0x8000')), '0x8000'),
  mode: v.optional(v.picklist(['real', 'protected', 'paged32', 'long']), 'long'),
  depth: Depth,
});

/** The run that a request asks for. @throws UserError when it makes no sense. */
function programOf(body: unknown, query: unknown): KvmProgram {
  if (body instanceof Uint8Array) {
    const placement = v.safeParse(Placement, query);
    if (!placement.success) throw new UserError('bad-placement', describe(placement.issues));
    const {at, mode, depth} = placement.output;
    return postedProgram(body, Number(at), mode, depth);
  }
  const shipped = v.safeParse(Shipped, body);
  if (!shipped.success) throw new UserError('bad-request', describe(shipped.issues));
  return shippedProgram(shipped.output.guest, shipped.output.depth);
}

function describe(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues.map(issue => `${v.getDotPath(issue) ?? 'the body'}: ${issue.message}`).join('; ') + '.';
}

/** Aborts when the client goes away before it has its answer. */
function whileConnected(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** Adds the routes to `app`, which has the error handler that turns a UserError into an answer. */
export function addKvmRoutes(app: FastifyInstance, kvm: KvmHost, queue: RunQueue): void {
  app.addContentTypeParser(
    'application/octet-stream',
    {parseAs: 'buffer', bodyLimit: LARGEST_IMAGE},
    (_request, body, done) => {
      done(null, body);
    },
  );
  app.get('/api/kvm', async () => ({...kvm.answer(), queue: queue.length}));
  app.post('/api/kvm/run', {bodyLimit: LARGEST_IMAGE}, async (request, reply) => {
    const program = programOf(request.body, request.query);
    const answer = kvm.answer();
    if (!answer.available) return reply.code(503).send({code: answer.code, message: answer.message});
    const signal = whileConnected(reply);
    const file = await queue.add(() => kvm.run(program, signal), signal);
    return reply.type('application/octet-stream').header('cache-control', 'no-store').send(Buffer.from(file));
  });
}
