/** Which renderer drew: a file of its own, so that whoever writes a simulator without pictures needs no types of three.js. */
export interface RendererIdentity {
  readonly name: string;
  /** Part of an environment's version: raise it when the same scene gives another frame. */
  readonly version: number;
  /** What draws for it, where that decides the bytes too: it is also part of an environment's version. */
  readonly driver?: string;
}

export function identityOfRenderer({ name, version, driver }: RendererIdentity): RendererIdentity {
  return { name, version, ...(driver !== undefined && { driver }) };
}
