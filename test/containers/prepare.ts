// Makes the images for the engine that own-engine.sh starts afterwards, which has no network. Touches the engine's folder.
import { startEngine } from "./engine.ts";
import { buildImages } from "./images.ts";

const engine = await startEngine(process.env.ENGINE_FOLDER ?? "", "builds");
await buildImages(engine).finally(() => engine.close());
