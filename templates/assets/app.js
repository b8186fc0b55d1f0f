// What the pages can do beyond plain links and forms: upload progress, live figures, local times.
// Every page works without this file.
"use strict";

(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // ---- screen readers: at most one sentence in 10 s, and always the last one --------------------

  const announcer = { last: 0, timer: 0 };

  function announce(text, now = false) {
    const wait = now ? 0 : Math.max(0, announcer.last + 10000 - Date.now());
    clearTimeout(announcer.timer);
    announcer.timer = setTimeout(() => {
      announcer.last = Date.now();
      $("#announce").textContent = text;
    }, wait);
  }

  // ---- times in the reader's own zone; the server's text stays as the tooltip -------------------

  const timeFormat = new Intl.DateTimeFormat(document.documentElement.lang, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  });

  const secondFormat = new Intl.DateTimeFormat(document.documentElement.lang, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });

  function localiseTimes(root) {
    for (const element of $$("time[datetime]", root)) {
      const time = new Date(element.dateTime);
      if (element.dateTime && !isNaN(time)) {
        element.title = element.textContent;
        element.textContent = ("seconds" in element.dataset ? secondFormat : timeFormat).format(time);
      }
    }
  }

  // ---- small conveniences -----------------------------------------------------------------------

  function enableCopying(root) {
    for (const button of $$("[data-copy]", root)) {
      // the clipboard is there only on https and localhost
      button.hidden = !navigator.clipboard;
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(button.dataset.copy);
          button.textContent = "Copied";
          announce("Batch ID copied", true);
        } catch {
          button.textContent = "Not copied";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
    }
  }

  function closeConfirmations(except) {
    for (const details of $$("details.confirm[open]")) {
      if (details !== except) {
        details.open = false;
      }
    }
  }

  document.addEventListener("click", (event) => closeConfirmations(event.target.closest("details.confirm")));
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && event.target.closest("details.confirm[open]");
    if (open) {
      open.open = false;
      $("summary", open).focus();
    }
  });

  // ---- live progress ----------------------------------------------------------------------------

  const value = (job, path) => path.split(".").reduce((at, key) => (at == null ? at : at[key]), job);

  // Writes a job's figures into its element. Returns whether anything moved.
  function showJob(element, job) {
    let moved = false;
    for (const target of $$("[data-live]", element)) {
      const text = String(value(job, target.dataset.live) ?? "");
      if (target.textContent !== text) {
        target.textContent = text;
        moved = true;
      }
    }
    for (const bar of $$("[data-live-progress]", element)) {
      if (job.show.percent_known) {
        bar.value = Number(job.show.percent);
      } else {
        bar.removeAttribute("value");
      }
    }
    for (const percent of $$("[data-live-percent]", element)) {
      percent.hidden = !job.show.percent_known;
    }
    return moved;
  }

  const busy = (element) => element.contains(document.activeElement) || $("details[open]", element);

  // ---- choosing imports in the list: one tick for all that are shown ----------------------------

  const picks = () => $$("[data-pick]");

  function showPicked() {
    const all = $("[data-pick-all]"), text = $("[data-picked]");
    if (!all) {
      return;
    }
    const count = picks().filter((box) => box.checked).length;
    all.checked = count > 0 && count === picks().length;
    all.indeterminate = count > 0 && !all.checked;
    text.hidden = !count;
    text.textContent = `${count} chosen`;
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-all]")) {
      for (const box of picks()) {
        box.checked = event.target.checked;
      }
    }
    if (event.target.matches("[data-pick], [data-pick-all]")) {
      showPicked();
      announce(`${picks().filter((box) => box.checked).length} chosen`);
    }
  });

  // Takes the lists from a fresh copy of this page. One that somebody is using waits for next time.
  async function refreshRegions() {
    const response = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (!response.ok) {
      throw new Error(`HTTP ${response.status}`);
    }
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const region of $$("[data-region]")) {
      const replacement = fresh.getElementById(region.id);
      if (replacement && !busy(region)) {
        const chosen = $$("[data-pick]:checked", region).map((box) => box.name);
        region.replaceWith(document.adoptNode(replacement));
        for (const box of $$("[data-pick]", replacement)) {
          box.checked = chosen.includes(box.name);
        }
        enhance(replacement);
      }
    }
  }

  // this page's address, asked for what moves on it
  const liveAddress = new URL(location.href);
  liveAddress.searchParams.set("live", "1");

  const live = { etag: null, delay: 1000, failures: 0, timer: 0, running: false };

  async function poll() {
    const headers = { Accept: "application/json" };
    if (live.etag) {
      headers["If-None-Match"] = live.etag;
    }
    // no-store: the browser's cache would answer a 304 with its copy of the page
    const response = await fetch(liveAddress, { headers, cache: "no-store" });
    if (response.status === 304) {
      return false;
    }
    if ([401, 403, 404].includes(response.status)) {
      // logged out, or somebody has deleted the import: the server's own page says so
      live.running = false;
      location.reload();
      return false;
    }
    if (!response.ok) {
      throw new Error(`HTTP ${response.status}`);
    }
    const { jobs } = await response.json();
    live.etag = response.headers.get("ETag");
    return showJobs(jobs);
  }

  async function showJobs(jobs) {
    let moved = false, changed = null;
    for (const job of jobs) {
      const element = $(`[data-job="${CSS.escape(job.batch_id)}"]`);
      if (!element) {
        continue;
      }
      // of what is finished a list is told the status only
      if ("rows" in job.show) {
        moved = showJob(element, job) || moved;
      }
      if (element.dataset.status !== job.show.status) {
        changed = { element, job };
      } else if (element.hasAttribute("data-reload")) {
        announce([`${job.show.percent}%`, job.show.rows, job.show.eta].filter(Boolean).join(", "));
      }
    }
    if (changed) {
      moved = true;
      announce(`${changed.job.filename}: ${changed.job.show.status}`, true);
      if (changed.element.hasAttribute("data-reload")) {
        // time for the announcement to be spoken before the new page takes its place
        live.running = false;
        setTimeout(() => location.reload(), 1200);
      } else {
        await refreshRegions();
      }
    }
    return moved;
  }

  function showConnection(lost) {
    for (const element of $$("[data-connection]")) {
      if (element.hidden === lost) {
        element.hidden = !lost;
        announce(lost ? element.textContent : "Connected again", true);
      }
    }
  }

  // Every second while figures move, up to every ten while they don't; not at all in a hidden tab.
  async function tick() {
    clearTimeout(live.timer);
    if (!live.running || document.hidden) {
      return;
    }
    try {
      live.delay = (await poll()) ? 1000 : Math.min(10000, live.delay * 1.5);
      live.failures = 0;
    } catch {
      live.failures += 1;
      live.delay = Math.min(10000, live.delay * 2);
    }
    showConnection(live.failures > 1);
    live.running = live.running && Boolean($("[data-unfinished]"));
    clearTimeout(live.timer);
    if (live.running) {
      live.timer = setTimeout(tick, live.delay);
    }
  }

  function startLive() {
    if (!live.running && $("[data-unfinished]")) {
      live.running = true;
      live.timer = setTimeout(tick, live.delay);
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && live.running) {
      live.delay = 1000;
      tick();
    }
  });

  // ---- uploading --------------------------------------------------------------------------------

  const sizes = ["bytes", "KB", "MB", "GB", "TB"];

  function sizeText(bytes) {
    const step = bytes < 1000 ? 0 : Math.min(sizes.length - 1, Math.floor(Math.log10(bytes) / 3));
    return `${(bytes / 1000 ** step).toLocaleString("en-GB", { maximumFractionDigits: step ? 1 : 0 })} ${sizes[step]}`;
  }

  // What an answer that is no redirect says: its first alert, else a sentence for its status.
  function answerText(request) {
    if (request.responseText.includes("<")) {
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const alert = $("[data-upload-error-text]", page) ?? $("[role=alert]", page);
      if (alert?.textContent.trim()) {
        return alert.textContent.trim();
      }
    }
    switch (request.status) {
      case 401:
      case 403: return "The server does not let you upload: log in again and try once more.";
      case 413: return "The file is larger than the server accepts.";
      case 507: return "The server's disk is full. Tell the administrator, then try again.";
      default: return `The server answered with error ${request.status}. Try again in a minute.`;
    }
  }

  function enableUpload(form) {
    const file = $("input[type=file]", form);
    const drop = $("[data-drop]", form);
    const chosen = $("[data-chosen]", form);
    const alert = $("[data-upload-error]", form);
    const button = $("[data-upload-button]", form);
    const dryRun = $("[data-dry-run]", form);
    const sending = $("[data-sending]", form);
    const bar = $("progress", sending);
    const text = $("[data-sending-text]", sending);
    let request = null;

    function showError(message) {
      // an alert is spoken when its text changes while it is shown
      alert.hidden = !message;
      $("[data-upload-error-text]", alert).textContent = message;
      if (message) {
        file.setAttribute("aria-invalid", "true");
        alert.scrollIntoView({ block: "nearest" });
      } else {
        file.removeAttribute("aria-invalid");
      }
    }

    const totalSize = () => [...file.files].reduce((sum, one) => sum + one.size, 0);

    // Why the chosen files cannot be sent; empty when they can.
    function problem() {
      const limit = Number(file.dataset.maxBytes);
      const empty = [...file.files].find((one) => !one.size);
      if (!file.files.length) {
        return "Choose a file first.";
      }
      if (limit && totalSize() > limit) {
        return `What you chose has ${sizeText(totalSize())}. The limit is ${file.dataset.maxText}.`;
      }
      return empty ? `${empty.name} is empty.` : "";
    }

    function showChosen() {
      const names = [...file.files].map((one) => one.name);
      chosen.hidden = !names.length;
      chosen.textContent = `${names.join(", ")} (${sizeText(totalSize())})`;
      showError(names.length ? problem() : "");
    }

    function showSending(on) {
      sending.hidden = !on;
      button.disabled = on;
      form.setAttribute("aria-busy", String(on));
      if (on) {
        bar.removeAttribute("value");
        text.textContent = "Starting…";
        sending.scrollIntoView({ block: "nearest" });
      }
    }

    function showProgress(event) {
      if (event.lengthComputable) {
        const percent = Math.floor((100 * event.loaded) / event.total);
        bar.value = percent;
        text.textContent = `${percent}%, ${sizeText(event.loaded)} of ${sizeText(event.total)}`;
        announce(`${percent}% uploaded`);
      }
    }

    function showWaiting() {
      bar.removeAttribute("value");
      text.textContent = form.elements.async.checked ? "Storing the file…" : "Importing. This page shows the result when it is done…";
      announce(text.textContent, true);
    }

    function fail(message) {
      request = null;
      showSending(false);
      showError(message);
    }

    // A finished import is answered with its page, whose own address stands in Content-Location.
    function finish() {
      const page = request.getResponseHeader("Content-Location");
      const there = new URL(page ?? request.responseURL, form.action);
      if (page || (request.status < 400 && there.pathname !== new URL(form.action).pathname)) {
        location.assign(there.href);
      } else {
        fail(answerText(request));
      }
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const why = problem();
      showError(why);
      if (why || request) {
        return;
      }
      request = new XMLHttpRequest();
      request.upload.addEventListener("progress", showProgress);
      request.upload.addEventListener("load", showWaiting);
      request.addEventListener("load", finish);
      request.addEventListener("error", () => fail("The connection was lost before the upload ended. Nothing has been imported: try again."));
      request.addEventListener("abort", () => fail(""));
      request.open("POST", form.action);
      request.send(new FormData(form));
      showSending(true);
    });

    $("[data-sending-cancel]", sending).addEventListener("click", () => {
      request?.abort();
      announce("Upload cancelled", true);
      button.focus();
    });

    window.addEventListener("beforeunload", (event) => {
      if (request && request.readyState < XMLHttpRequest.DONE) {
        event.preventDefault();
      }
    });

    file.addEventListener("change", showChosen);

    const nameButton = () => { button.textContent = dryRun.checked ? "Upload and compare" : "Upload and import"; };
    dryRun.addEventListener("change", nameButton);
    nameButton();

    $("[data-drop-hint]", drop).hidden = false;
    for (const type of ["dragenter", "dragover"]) {
      drop.addEventListener(type, (event) => {
        event.preventDefault();
        drop.classList.add("over");
      });
    }
    drop.addEventListener("dragleave", (event) => {
      if (!drop.contains(event.relatedTarget)) {
        drop.classList.remove("over");
      }
    });
    drop.addEventListener("drop", (event) => {
      const items = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
      const folder = items.find((entry) => entry?.isDirectory);
      event.preventDefault();
      drop.classList.remove("over");
      if (folder) {
        showError(`${folder.name} is a folder. Open it, and drop the files that are in it.`);
      } else if (event.dataTransfer.files.length) {
        file.files = event.dataTransfer.files;
        showChosen();
        announce(`Chosen: ${chosen.textContent}`, true);
      } else {
        showError("That is no file. Save it as a file first, and drop that.");
      }
    });
    // beside the field a browser would leave the page for the file
    for (const type of ["dragover", "drop"]) {
      window.addEventListener(type, (event) => event.preventDefault());
    }
  }

  // A back button brings the page back as it was left: not with an upload that has ended.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      location.reload();
    }
  });

  function enhance(root) {
    showPicked();
    localiseTimes(root);
    enableCopying(root);
  }

  enhance(document);
  $$("form[data-upload]").forEach(enableUpload);
  startLive();
})();
