// Both officers' consoles in a real Chromium: a conflict from notice to acknowledged on both sides, in two
// languages. Screenshots are kept in docs/screenshots.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { planner, startNodes } from "./nodes.mjs";

const SHOTS = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

let demo, browser;
const pages = {};
const asked = new Set();
const complaints = [];

const open = async (node, locale) => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 860 }, locale, timezoneId: "UTC" });
  const page = await context.newPage();
  page.on("request", (request) => asked.add(new URL(request.url()).host));
  page.on("pageerror", (error) => complaints.push(`${node.party}: ${error.message}`));
  page.on("console", (message) => message.type() === "error" && complaints.push(`${node.party}: ${message.text()}`));
  await page.goto(node.url);
  return page;
};
const shot = (party, name) => pages[party].screenshot({ path: join(SHOTS, `${name}.png`) });
const alert = (party, id) => pages[party].locator(`[data-testid=alert][data-id="${id}"]`);
const awaits = async (party, id) => (await alert(party, id).getAttribute("data-awaits")).split(" ").filter(Boolean);
const until = async (what, holds, patience = 20_000) => {
  const begin = Date.now();
  while (!(await holds().catch(() => false))) {
    assert.ok(Date.now() - begin < patience, `waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  demo = await startNodes();
  browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  const [blue, green] = demo.nodes;
  pages.blue = await open(blue, "en-GB");
  pages.green = await open(green, "ru-RU");
});

after(async () => {
  await browser?.close();
  const ended = await demo?.stop();
  assert.equal(ended?.code, 0, ended?.output);
});

test("the line comes up and is shown in each officer's language", async () => {
  for (const party of ["blue", "green"]) {
    await until(`${party} sees the line`, async () => (await pages[party].locator("[data-testid=peer]").getAttribute("data-state")) === "normal");
  }
  assert.match(await pages.blue.locator("[data-testid=peer]").innerText(), /green\s+normal/);
  assert.match(await pages.green.locator("[data-testid=peer]").innerText(), /blue\s+в норме/);
});

const volume = () => ({
  centre: [40.6, 35.6], radius_m: 5000, lower_m: 1000, upper_m: 2000, datum: "baro",
  start: new Date(Date.now() + 3600_000).toISOString(), end: new Date(Date.now() + 7200_000).toISOString(),
});

const PINS = { officer: "2718", supervisor: "3141" };
const signIn = async (party, role) => {
  const page = pages[party];
  if (await page.locator("[data-testid=sign-out]").count()) await page.locator("[data-testid=sign-out]").click();
  await page.locator("[data-testid=holder]").selectOption(`${role}-1`);
  await page.locator("[data-testid=pin]").fill(PINS[role]);
  await page.locator("[data-testid=sign-in-button]").click();
  await page.locator("[data-testid=signed-in]").waitFor({ timeout: 5_000 });
};
const tab = (party, name) => pages[party].locator(`[data-testid=tab-${name}]`).click();

test("without a PIN nothing is said; with it the officer is on watch", async () => {
  await pages.blue.locator("[data-testid=pin]").fill("0000");
  await pages.blue.locator("[data-testid=sign-in-button]").click();
  await until("a wrong PIN is refused", async () => /wrong/.test(await pages.blue.locator("[data-testid=sign-in]").innerText()));
  for (const party of ["blue", "green"]) await signIn(party, "officer");
  assert.match(await pages.blue.locator("[data-testid=signed-in]").innerText(), /Maj\. Harper, officer/);
  assert.match(await pages.green.locator("[data-testid=signed-in]").innerText(), /Maj\. Orlov, офицер/);
});

test("two notices conflict; each officer is alerted, acknowledges, and sees that the other has", async () => {
  const [blue, green] = demo.nodes;
  const filed = await planner(blue, "PUT", "/api/flights/E2E-A", { volumes: [volume()], callsign: "TEST A", purpose: "transport" });
  assert.deepEqual([filed.status, filed.body.version], [200, 1]);
  assert.equal((await planner(green, "PUT", "/api/flights/E2E-B", { volumes: [volume()], purpose: "patrol" })).status, 200);
  const id = "plans/blue:E2E-A/green:E2E-B";
  for (const party of ["blue", "green"]) await alert(party, id).waitFor({ timeout: 5_000 });
  assert.match(await alert("blue", id).innerText(), /ADVISORY[\s\S]*Plans E2E-A \(blue\) and E2E-B \(green\)/);
  assert.match(await alert("green", id).innerText(), /К СВЕДЕНИЮ[\s\S]*Планы E2E-A \(blue\) и E2E-B \(green\)/);

  await alert("blue", id).locator("[data-testid=acknowledge]").click();
  await until("green sees that blue has read it", async () => (await awaits("green", id)).join() === "green");
  assert.match(await alert("green", id).innerText(), /blue: прочитал Maj\. Harper/);
  await alert("green", id).locator("[data-testid=acknowledge]").click();
  await until("blue sees that green has read it", async () => (await awaits("blue", id)).length === 0);
  assert.match(await alert("blue", id).innerText(), /green: read by Maj\. Orlov/);

  await tab("blue", "deliveries");
  const delivery = pages.blue.locator("[data-testid=delivery]").filter({ hasText: "blue:E2E-A · green:E2E-B" }).last();
  await until("blue's alert is shown as read by green", async () => (await delivery.locator(".to").getAttribute("data-state")) === "read");
  await tab("blue", "messages");
});

test("a safety request is read in the other's language, read back, and answered with wilco", async () => {
  const page = pages.blue;
  await page.locator("[data-testid=to]").selectOption("green");
  await page.locator("[data-testid=phrase]").selectOption("keep-clear");
  await page.locator("[data-testid=parameter-area]").fill("R-12");
  await page.locator("[data-testid=parameter-time]").fill("14:30Z");
  assert.equal(await page.locator("[data-testid=preview]").innerText(), "Keep your aircraft clear of R-12 until 14:30Z.");
  await page.locator("[data-testid=send]").click();
  const heard = pages.green.locator("[data-testid=spoken][data-kind=request]").last();
  await heard.waitFor({ timeout: 5_000 });
  assert.equal(await heard.locator("[data-testid=read]").innerText(), "Держите свои воздушные суда вне района R-12 до 14:30Z.");
  assert.equal(await heard.locator("[data-testid=original]").innerText(), "Keep your aircraft clear of R-12 until 14:30Z.");
  await tab("green", "owed");
  const owed = pages.green.locator("[data-testid=owed][data-mine=true]").first();
  await owed.locator("[data-testid=essential-area]").fill("R-21");
  await owed.locator("[data-testid=essential-time]").fill("14:30z");
  await owed.locator("[data-testid=send-read-back]").click();
  await until("a wrong read-back is told", async () => /повторено неверно/.test(await owed.innerText()));
  await owed.locator("[data-testid=essential-area]").fill("r-12");
  await owed.locator("[data-testid=send-read-back]").click();
  await until("the read-back is right", async () => (await owed.locator("[data-testid=read-back]").count()) === 0);
  await shot("green", "request-ru");
  await owed.locator("[data-testid=wilco]").click();
  await until("green owes nothing", async () => (await pages.green.locator("[data-testid=owed][data-mine=true]").count()) === 0);
  const answer = page.locator("[data-testid=spoken][data-kind=answer]").last();
  await until("blue has its wilco", async () => /green\s+Maj\. Orlov\s+wilco blue#\d+/.test(await answer.innerText()));
});

test("Arabic is read from right to left, with the original beside it", async () => {
  await pages.green.locator("[data-testid=language]").selectOption("ar");
  await tab("green", "messages");
  const heard = pages.green.locator("[data-testid=spoken][data-kind=request]").last();
  const read = heard.locator("[data-testid=read]");
  assert.equal(await read.innerText(), "أبقوا طائراتكم خارج المنطقة R-12 حتى 14:30Z.");
  assert.equal(await read.evaluate((e) => getComputedStyle(e).direction), "rtl");
  assert.match(await heard.locator("[data-testid=original]").innerText(), /Keep your aircraft clear/);
  await shot("green", "request-ar");
  await pages.green.locator("[data-testid=language]").selectOption("ru");
});

test("a person answers a communication check", async () => {
  await pages.green.locator("[data-testid=check]").click();
  await tab("blue", "owed");
  await pages.blue.locator("[data-testid=i-am-here]").first().click();
  await tab("green", "owed");
  await until("green knows that someone is there", async () => (await pages.green.locator("[data-testid=owed][data-owed=check]").count()) === 0);
});

test("two formations merge: one key acknowledges the gravest alert first", async () => {
  for (const party of ["blue", "green"]) {
    await pages[party].locator('[data-testid=alert][data-kind=tracks][data-level=warning]').first().waitFor({ timeout: 60_000 });
  }
  await shot("blue", "warning-en");
  await shot("green", "warning-ru");
  for (const party of ["blue", "green"]) {
    const top = pages[party].locator("[data-testid=alert]").first();
    const id = await top.getAttribute("data-id");
    assert.equal(await top.getAttribute("data-level"), "warning");
    await until(`${party} has it in sight`, () => top.isVisible().then(async (seen) => seen && (await top.boundingBox()).y > 0));
    await pages[party].keyboard.press("Space");
    await until(`${party}'s key acknowledges`, async () => !(await awaits(party, id)).includes(party));
    const other = party === "blue" ? "green" : "blue";
    await until(`${other} sees it`, async () => !(await awaits(other, id)).includes(party));
  }
});

test("the language is switched at run time", async () => {
  await pages.blue.locator("[data-testid=language]").selectOption("ru");
  assert.match(await pages.blue.locator("header").innerText(), /Вы говорите за blue/);
  assert.equal(await pages.blue.locator("html").getAttribute("lang"), "ru");
  await pages.blue.locator("[data-testid=language]").selectOption("en");
  assert.match(await pages.blue.locator("header").innerText(), /You speak for blue/);
});

test("an aircraft that leaves its plan and a restriction are alerted", async () => {
  for (const kind of ["nonconforming", "track-restriction", "plan-restriction"]) {
    await pages.green.locator(`[data-testid=alert][data-kind=${kind}]`).first().waitFor({ timeout: 60_000 });
  }
  await pages.green.getByRole("button", { name: "Планы" }).click();
  await pages.green.waitForTimeout(300);
  await shot("green", "plans-ru");
});

test("every alert can be acknowledged by the one key", async () => {
  for (const party of ["blue", "green"]) {
    await until(`${party} has read everything`, async () => {
      await pages[party].keyboard.press("Space");
      return (await pages[party].locator("[data-testid=waiting]").count()) === 0;
    }, 60_000);
  }
  await pages.blue.waitForTimeout(500);
  await shot("blue", "read-en");
});

test("a case is opened, stated on and resolved by both", async () => {
  await tab("blue", "cases");
  await pages.blue.locator("[data-testid=free-text]").last().fill("Your helicopter crossed our restriction.");
  await pages.blue.locator("[data-testid=case-kind]").selectOption("protest");
  await pages.blue.locator("[data-testid=case-open]").click();
  await tab("green", "cases");
  const opened = pages.green.locator("[data-testid=case]").first();
  await opened.locator(".title").click();
  await opened.locator("[data-testid=free-text]").fill("Мы сожалеем; экипаж предупреждён.");
  await opened.locator("[data-testid=case-state]").click();
  const seen = pages.blue.locator("[data-testid=case]").first();
  await seen.locator(".title").click();
  await until("blue reads green's position", async () => /Мы сожалеем/.test(await seen.innerText()));
  await shot("blue", "case-en");
  for (const party of ["blue", "green"]) {
    await signIn(party, "supervisor");
    const mine = pages[party].locator("[data-testid=case]").first();
    await mine.locator("[data-testid=free-text]").fill(party === "blue" ? "Settled." : "Решено.");
    await mine.locator("[data-testid=case-resolve]").click();
  }
  for (const party of ["blue", "green"]) {
    await until(`${party} sees it resolved`, async () => (await pages[party].locator("[data-testid=case]").first().getAttribute("data-status")) === "resolved");
  }
});

test("supervisors vote, and both nodes find the same outcome", async () => {
  await tab("blue", "votes");
  await tab("green", "votes");
  await pages.blue.locator("[data-testid=free-text]").last().fill("The two staffs meet on the first Monday of each month.");
  await pages.blue.locator("[data-testid=propose]").click();
  for (const party of ["blue", "green"]) {
    await pages[party].locator("[data-testid=ballot]").first().locator("[data-testid=vote-yes]").click();
  }
  for (const party of ["blue", "green"]) {
    await until(`${party} sees it adopted`, async () => (await pages[party].locator("[data-testid=ballot]").first().getAttribute("data-outcome")) === "adopted");
  }
  await shot("green", "vote-ru");
});

test("the line is suspended and restored by a supervisor, with the reason on record", async () => {
  await pages.green.locator("[data-testid=free-text]").last().fill("Приказ штаба.");
  await pages.green.locator("[data-testid=suspend]").click();
  const notice = pages.blue.locator("[data-testid=suspended]");
  await notice.waitFor({ timeout: 5_000 });
  assert.match(await notice.innerText(), /green has suspended the line since [\d:]+: *\n*Приказ штаба\./);
  assert.equal(await pages.blue.locator("[data-testid=peer]").getAttribute("data-state"), "suspended");
  await pages.green.locator("[data-testid=free-text]").last().fill("Приказ отменён.");
  await pages.green.locator("[data-testid=suspend]").click();
  await until("the line is restored", async () => (await notice.count()) === 0);
  await tab("blue", "health");
  await pages.blue.locator("[data-testid=health] .plot").waitFor({ timeout: 5_000 });
  await shot("blue", "health-en");
});

test("bad requests are told what would be right, and change nothing", async () => {
  const [blue] = demo.nodes;
  const wrong = await planner(blue, "PUT", "/api/flights/E2E-X", { volumes: [{ ...volume(), radius_m: -1 }] });
  assert.equal(wrong.status, 400);
  assert.match(wrong.body.error, /volumes\[0\]: radius -1 m/);
  const typo = await planner(blue, "PUT", "/api/flights/E2E-X", { volume: [] });
  assert.match(typo.body.error, /unknown field `volume`.*line 1 column/);
  const tracks = await planner(blue, "POST", "/api/tracks", [{ id: "A1", time_ms: Date.now(), lat: 95, lon: 0, alt_ft: 1, gs_kt: 1, trk: 0 }]);
  assert.match(tracks.body.refused[0].why, /latitude 95/);
  assert.equal((await fetch(`${blue.url}/api/tracks`, { method: "POST", body: "[]" })).status, 401);
  assert.equal((await fetch(`${blue.url}/console/acknowledge`, { method: "POST", body: "{}", headers: { origin: "http://elsewhere" } })).status, 403);
  const unknown = await fetch(`${blue.url}/console/acknowledge`, { method: "POST", body: '{"id":"nothing"}' });
  assert.equal(unknown.status, 404);
  const nobody = await fetch(`${blue.url}/console/act`, { method: "POST", body: '{"do":"check"}' });
  assert.equal(nobody.status, 401);
  const strange = await fetch(`${blue.url}/console/act`, { method: "POST", body: '{"do":"dance"}' });
  assert.match((await strange.json()).error, /unknown variant `dance`/);
});

test("the evidence of it all is verified offline", async () => {
  const binary = process.env.HOTLINE ?? fileURLToPath(new URL("../../target/debug/hotline", import.meta.url));
  const file = join(demo.folder, "evidence.hotline");
  const range = ["--from", new Date(Date.now() - 600_000).toISOString(), "--to", new Date(Date.now() + 600_000).toISOString()];
  const why = ["--recipient", "Board of inquiry", "--reason", "test of the console"];
  execFileSync(binary, ["export", join(demo.folder, "blue"), ...range, ...why, "-o", file]);
  const account = execFileSync(binary, ["verify", file], { encoding: "utf8" });
  assert.match(account, /officer 1 acknowledged \(advisory\) the plans of blue:E2E-A and green:E2E-B/);
  assert.match(account, /officer 1 will comply with blue#\d+/);
  assert.match(account, /supervisor 1 suspended the line: "Приказ штаба\."/);
  assert.match(account, /Everything checks/);
});

test("no request left the machine, and nothing was complained of", () => {
  assert.deepEqual([...asked].filter((host) => !host.startsWith("127.0.0.1:")), []);
  // The browser itself complains of the wrong PIN that was tried.
  assert.deepEqual(complaints.filter((c) => !/401 \(Unauthorized\)/.test(c)), []);
});
