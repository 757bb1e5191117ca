/** One contender of `bench render`, in its own process like the peers: `render-ours.ts SCENE WIDTH HEIGHT SECONDS`. */
import { SoftwareRenderer } from '../../env/render/software/software-renderer.ts';
import { TRAFFIC_PARAMETERS, type TrafficTheta } from '../../env/simulators/traffic/parameters.ts';
import { drawScene } from '../../env/simulators/traffic/scene.ts';
import { trafficSimulator } from '../../env/simulators/traffic/traffic.ts';
import { defaultTheta } from '../../protocol/parameters.ts';
import { boxScene } from './box-scene.ts';

/** Draws image `i`. */
type Draw = (i: number) => void;

/** The boxes that the peers draw too, as sRGB bytes, class and instance ids, and depth. */
function boxes(width: number, height: number, antialias: boolean): Draw {
  const { scene, camera, move } = boxScene(width, height);
  const renderer = new SoftwareRenderer();
  return (i) => {
    move(i);
    renderer.draw(scene, camera, { width, height, antialias });
    renderer.srgb();
  };
}

/** Streets that are built in advance, at the simulator's default θ: only the drawing is measured. */
function trafficDrawing(width: number, height: number): Draw {
  const theta = defaultTheta(TRAFFIC_PARAMETERS) as unknown as TrafficTheta;
  const streets = Array.from({ length: 16 }, (_, seed) => drawScene(theta, seed, { width, height }));
  const renderer = new SoftwareRenderer();
  return (i) => {
    const { scene, camera } = streets[i % streets.length]!;
    renderer.draw(scene, camera, { width, height });
    renderer.srgb();
  };
}

/** Whole samples of the traffic simulator: for each, another street is built, drawn and developed. */
function traffic(width: number, height: number, antialias: boolean): Draw {
  const simulator = trafficSimulator({ width, height, antialias, renderer: new SoftwareRenderer() });
  const set = simulator.open({}, 1);
  return (i) => void set.draw(i);
}

const SCENES: Record<string, (width: number, height: number) => Draw> = {
  boxes: (width, height) => boxes(width, height, false),
  'boxes-antialiased': (width, height) => boxes(width, height, true),
  'traffic-drawing': trafficDrawing,
  traffic: (width, height) => traffic(width, height, true),
  'traffic-plain': (width, height) => traffic(width, height, false),
};

const [name = '', ...rest] = process.argv.slice(2);
const [width = NaN, height = NaN, seconds = NaN] = rest.map(Number);
const scene = SCENES[name];
if (scene === undefined) throw new RangeError(`scene: expected ${Object.keys(SCENES).join(', ')}, got "${name}"`);
const draw = scene(width, height);
for (let i = 0; i < 150; i++) draw(i); // warm-up for the just-in-time compiler
const start = process.cpuUsage(); // CPU time, since other programs on the machine affect it less
const spent = () => {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};
let count = 0;
while (spent() < seconds) for (let i = 0; i < 10; i++) draw(count++); // ten at once, since reading the time takes time too
console.log(count / spent());
