/** `queue-records.ts URL COUNT`: says every second that so many workers are there, as that many worker programs would. */
import { Relay } from 'bullmq';
import { BEAT_MS, TOPICS, type WorkerRecord } from '../../env/workers/queue/pool.ts';
import { PREFIX, redisOptions } from '../../env/workers/queue/redis.ts';

const [url, count] = process.argv.slice(2);
const relay = new Relay({ connection: redisOptions(url!), prefix: PREFIX, namespace: 'pool' });
const records = Array.from({ length: Number(count) }, (_, i): WorkerRecord => ({
  id: `simulated-${i}`,
  host: 'simulated',
  places: 1,
  running: 0,
  state: 'refused',
  reason: 'it is only said to be there',
  build: 'none',
  backends: { 'Noop-v0': 'none' },
}));
/** Evenly over the second, in steps that a timer can keep. */
const STEPS = 50;
let step = 0;
setInterval(() => {
  for (let i = step++ % STEPS; i < records.length; i += STEPS) {
    relay.publish(TOPICS.worker(records[i]!.id), records[i]).catch(() => {});
  }
}, BEAT_MS / STEPS);
