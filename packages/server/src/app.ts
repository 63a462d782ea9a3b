// The server as a value: routes, headers and refusals, without a socket, so that tests can ask it directly.

import Fastify from 'fastify';
import type {FastifyError, FastifyInstance, FastifyReply} from 'fastify';
import {UserError} from '@hyperscope/base';
import type {KvmHost} from './kvm-host.js';
import {addKvmRoutes} from './kvm-routes.js';
import {refuseOrigin} from './request-origin.js';
import {RunQueue} from './run-queue.js';
import {addSecurityHeaders, contentSecurityPolicy, inlineScriptHashes} from './security-headers.js';
import {readPage, serveFiles, serveNothingYet} from './static-files.js';

export interface AppOptions {
  /** Folder of the built page. */
  readonly pageFolder: string;
  readonly version: string;
  readonly kvm: KvmHost;
  /** Host names, beside `localhost` and plain addresses, by which this server may be called. */
  readonly names: readonly string[];
}

/** Status codes of the trouble a user can get into; everything else a user did is 400. */
const STATUS: Readonly<Record<string, number>> = {
  busy: 429,
  'unknown-guest': 404,
  'kvm-child-died': 502,
  timeout: 504,
};

/** Builds the server; the caller listens, or injects requests. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({logger: {level: 'error', stream: process.stderr}, bodyLimit: 64 * 1024, requestTimeout: 60_000});
  const page = readPage(options.pageFolder);
  addSecurityHeaders(app, contentSecurityPolicy(page === undefined ? [] : inlineScriptHashes(page)));
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    answerError(error, reply, () => request.log.error(error)),
  );
  app.addHook('onRequest', async (request, reply) => {
    if (!request.url.startsWith('/api/')) return undefined;
    const {host, origin, 'sec-fetch-site': site} = request.headers;
    const fetchSite = typeof site === 'string' ? site : undefined;
    const refusal = refuseOrigin({host, origin, fetchSite, names: options.names});
    return refusal === undefined ? undefined : reply.code(403).send({code: 'wrong-origin', message: refusal});
  });
  app.get('/healthz', async (_request, reply) => {
    const answer = options.kvm.answer();
    return reply
      .header('cache-control', 'no-store')
      .send({status: 'ok', version: options.version, page: page !== undefined, kvm: answer});
  });
  addKvmRoutes(app, options.kvm, new RunQueue(4));
  if (page === undefined) serveNothingYet(app);
  else await serveFiles(app, options.pageFolder);
  return app;
}

/** A user's trouble is a code and a sentence; ours is logged with its stack, and the client learns only that it happened. */
function answerError(error: FastifyError, reply: FastifyReply, log: () => void): FastifyReply {
  if (error instanceof UserError) {
    const status = STATUS[error.code] ?? 400;
    if (status === 429) void reply.header('retry-after', '2');
    return reply.code(status).send({code: error.code, message: error.message});
  }
  const status = error.statusCode ?? 500;
  if (status >= 500) log();
  const message = status >= 500 ? 'Something in Hyperscope is wrong; the server printed what.' : `${error.message}.`;
  return reply.code(status).send({code: status >= 500 ? 'internal-error' : (error.code ?? 'bad-request'), message});
}
