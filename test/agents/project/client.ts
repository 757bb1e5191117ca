/** A program that speaks to an environment itself, as somebody writes it in a project of their own. */
import { connect, ProtocolError, type Environment, type Result } from 'learning-to-simulate/client';

const client = await connect(process.argv[2]!);
const environment = await client.open({ env_id: 'Draws-v0' });
const { outcome, reward }: Result = await environment.evaluate({ params: { mean: 0.5 }, seed: 1 });
const infeasible = await environment.evaluate({ params: { mean: -1 } });

const gym: Environment = environment;
await gym.reset({ seed: 1 });
const refused = await gym.step({ action: [2] }).catch((error: unknown) => error);

const code = refused instanceof ProtocolError ? refused.code : 'none';
console.log(JSON.stringify({ outcome, reward, reason: infeasible.reason, code }));
await client.close();
