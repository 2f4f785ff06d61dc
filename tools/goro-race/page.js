/* Search, filters and keys. The page shows everything without it. */
"use strict";
(() => {
	const box = document.getElementById("search");
	const count = document.getElementById("count");
	const kinds = [...document.querySelectorAll("input[data-kind]")];
	const known = document.getElementById("known");
	const all = [...document.querySelectorAll("article")];
	const texts = new Map(all.map(a => [a, a.textContent.toLowerCase()]));
	let at = -1;

	const shown = () => all.filter(a => !a.hidden);

	function apply() {
		const words = box.value.toLowerCase().split(/\s+/).filter(w => w);
		const off = new Set(kinds.filter(k => !k.checked).map(k => k.dataset.kind));

		for (const a of all)
			a.hidden = off.has(a.dataset.kind) || (known && !known.checked && a.classList.contains("known")) ||
				!words.every(w => texts.get(a).includes(w));
		count.textContent = shown().length + " of " + all.length + " shown";
		at = -1;
	}

	function go(step) {
		const list = shown();

		if (!list.length)
			return;
		at = Math.min(Math.max(at + step, 0), list.length - 1);
		const s = list[at].querySelector("summary");
		s.focus();
		s.scrollIntoView({block: "nearest"});
	}

	box.addEventListener("input", apply);
	for (const k of kinds.concat(known ? [known] : []))
		k.addEventListener("change", apply);
	box.form.addEventListener("submit", e => e.preventDefault());
	document.addEventListener("focusin", e => {
		const a = e.target.closest("article");
		if (a)
			at = shown().indexOf(a);
	});
	document.addEventListener("keydown", e => {
		if (e.ctrlKey || e.altKey || e.metaKey)
			return;
		if (e.target === box) {
			if (e.key === "Escape") {
				box.value = "";
				apply();
			} else if (e.key === "Enter" || e.key === "ArrowDown") {
				e.preventDefault();
				go(1);
			}
		} else if (e.key === "/") {
			e.preventDefault();
			box.focus();
		} else if (e.key === "j" || e.key === "k") {
			go(e.key === "j" ? 1 : -1);
		}
	});

	function open_named() {
		const a = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
		if (a && a.matches("article"))
			a.querySelector("details").open = true;
	}
	window.addEventListener("hashchange", open_named);
	open_named();
	apply();
})();
