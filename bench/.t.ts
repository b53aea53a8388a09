import { startEdgeUnderTest } from "./edge-under-test.ts"; import { openLink, pump } from "./link-client.ts"; import { getJson } from "./http-client.ts";
const edge = await startEdgeUnderTest();
const used = async()=>((await getJson(edge,"/v1/default/usage")) as any).total.rows_written;
for (const inFlight of [1,8,64,64]) { const link = await openLink(edge,"p"); const b=await used(); const n=inFlight===1?1000:20000; const s=await pump(link,{producer:"p"+Math.random().toString(36).slice(2),batches:n,size:1,inFlight,name:"Q_BENCH_TICK"}); console.log(inFlight, Math.round(n/s)+"/s","group", (n/((await used())-b)).toFixed(1), "commits/s", Math.round(((await used())-b)/s)); link.close(); }
await edge.stop(); process.exit(0);
