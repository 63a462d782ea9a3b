// What every answer says to the browser: run our scripts only, in workers of our own, isolated from other sites.
// Cross-origin isolation (COOP and COEP) is what makes SharedArrayBuffer and precise timers available to the page.

import {createHash} from 'node:crypto';
import type {FastifyInstance} from 'fastify';

/** The CSP sources of scripts written inside `html`: each is allowed by its hash, and nothing else inline is. */
export function inlineScriptHashes(html: string): readonly string[] {
  const scripts = html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/gi);
  return [...scripts].map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
}

/** The Content-Security-Policy of the lab. Style attributes are allowed: positions on the stage are computed. */
export function contentSecurityPolicy(scriptHashes: readonly string[]): string {
  const directives = {
    'default-src': ["'none'"],
    'script-src': ["'self'", ...scriptHashes],
    'style-src': ["'self'", "'unsafe-inline'"],
    'img-src': ["'self'", 'data:', 'blob:'],
    'font-src': ["'self'"],
    'connect-src': ["'self'"],
    'worker-src': ["'self'"],
    // The documentation has live labs in frames.
    'frame-src': ["'self'"],
    'manifest-src': ["'self'"],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'self'"],
  };
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources.join(' ')}`)
    .join('; ');
}

/** Adds the headers to every answer of `app`. */
export function addSecurityHeaders(app: FastifyInstance, policy: string): void {
  const headers = {
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
  // Not awaited: a reply is a promise of having been sent.
  app.addHook('onRequest', async (_request, reply) => {
    void reply.headers(headers);
  });
}
