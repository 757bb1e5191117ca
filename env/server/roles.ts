import { createHash, timingSafeEqual } from 'node:crypto';
import { checkToken } from '../../protocol/token.ts';

/** Agents open sessions, observers watch, admins close other people's sessions and drain the server. */
export type Role = 'agent' | 'observer' | 'admin';

export type Tokens = { readonly [R in Role]?: string | undefined };

/** @throws {RangeError} naming the role whose token no client could show, or everybody could */
export function checkTokens(tokens: Tokens): void {
  for (const [role, token] of Object.entries(tokens)) if (token !== undefined) checkToken(`${role} token`, token);
}

/** Compares the hashes of both tokens, which have equal lengths, so that the time taken reveals nothing. */
function isSameToken(expected: string, given: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(expected), hash(given));
}

/** Whether a client without a token may do nothing. */
export function needsToken(tokens: Tokens): boolean {
  return Object.values(tokens).some((token) => token !== undefined);
}

/**
 * The roles of a client that shows this token. A server without any token gives everybody every role (it then listens to
 * its own machine only). An agent may watch unless there is a token for observers; an admin may do everything.
 */
export function rolesOf(tokens: Tokens, given: string | undefined): ReadonlySet<Role> {
  const { agent, observer, admin } = tokens;
  if (!needsToken(tokens)) return new Set(['agent', 'observer', 'admin']);
  const is = (expected: string | undefined) =>
    expected !== undefined && given !== undefined && isSameToken(expected, given);
  if (is(admin)) return new Set(['agent', 'observer', 'admin']);
  const roles = new Set<Role>();
  if (is(agent)) roles.add('agent');
  if (is(observer) || (observer === undefined && is(agent))) roles.add('observer');
  return roles;
}
