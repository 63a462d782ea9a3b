// Real KVM over HTTP, for scripts: GET /api/kvm says what is here, POST /api/kvm/run runs a guest and answers with its record.
// The body is `{"guest": "hello-kvm"}`, or an image as application/octet-stream with ?at=0x8000&mode=long&memory=2&irqchip=kernel.

import type {FastifyInstance, FastifyReply} from 'fastify';
import {UserError} from '@hyperscope/base';
import type {KvmService} from './kvm-service.js';
import {programOfBody} from './run-request.js';

/** Aborts when the client goes away before it has its answer. */
function whileConnected(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** Adds the routes to `app`, which has the error handler that turns a UserError into an answer. */
export function addKvmRoutes(app: FastifyInstance, service: KvmService): void {
  const bodyLimit = service.limits.image;
  app.addContentTypeParser('application/octet-stream', {parseAs: 'buffer', bodyLimit}, (_request, body, done) => {
    done(null, body);
  });
  app.get('/api/kvm', async () => ({...service.kvm.answer(), queue: service.queue.length}));
  app.post('/api/kvm/run', {bodyLimit}, async (request, reply) => {
    const program = programOfBody(request.body, request.query, service.limits);
    const answer = service.kvm.answer();
    if (!answer.available) throw new UserError(answer.code, answer.message);
    const {ip: client, log} = request;
    const file = await service.run({program, client, signal: whileConnected(reply), log});
    return reply.type('application/octet-stream').header('cache-control', 'no-store').send(Buffer.from(file));
  });
  app.get('/metrics', async (_request, reply) =>
    reply
      .type(service.metrics.contentType)
      .header('cache-control', 'no-store')
      .send(await service.metrics.text()),
  );
}
