"""One SVG of each group, legible on white and on black."""
from pathlib import Path

INK = "#8a8f98"     # of text and axes: enough contrast on both
OURS = "#2f81f7"
PEER = "#b1bac4"
TARGET = "#e3742f"


def draw(group, rows, results, folder):
    import matplotlib  # only here: nothing else needs it
    matplotlib.use("svg")
    import matplotlib.pyplot as plot
    plot.rcParams.update({"svg.fonttype": "none", "font.size": 10, "text.color": INK,
                          "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
                          "axes.edgecolor": INK, "svg.hashsalt": group})
    figure, panels = plot.subplots(len(rows), 1, squeeze=False,
                                   figsize=(8, sum(0.75 + 0.3 * len(results[row.name])
                                                   for row in rows)),
                                   gridspec_kw={"height_ratios": [1.5 + len(results[row.name])
                                                                  for row in rows]})
    for panel, row in zip(panels[:, 0], rows):
        draw_row(panel, row, results[row.name])
    figure.tight_layout()
    figure.savefig(Path(folder) / f"{group.replace('.', '')}.svg", transparent=True,
                   metadata={"Date": None})
    plot.close(figure)


def draw_row(panel, row, figures):
    shown = [(key, found) for key, found in figures.items() if key != row.against][::-1]
    values = [found["value"] for _, found in shown]
    errors = [[max(0, found["value"] - found["low"]) for _, found in shown],
              [max(0, found["high"] - found["value"]) for _, found in shown]]
    names = [f"hawser, {key}" if key in row.targets else key for key, _ in shown]
    colours = [OURS if key in row.targets else PEER for key, _ in shown]
    panel.barh(names, values, xerr=errors, color=colours, height=0.62,
               error_kw={"ecolor": INK, "capsize": 3, "lw": 1})
    for at, (key, found) in enumerate(shown):
        end = found["high"]
        target = row.targets.get(key, end)
        if end < target < end * 1.2:  # the mark would stand in the number
            end = target
        value = found["value"]
        panel.annotate(f"{value:,.0f}" if value >= 100 else f"{value:.3g}", (end, at), (6, 0),
                       va="center", textcoords="offset points", color=INK, fontsize=9)
        if key in row.targets:
            panel.plot([row.targets[key]] * 2, [at - 0.4, at + 0.4], color=TARGET, lw=2)
    title = f"{row.title} ({row.unit})" if row.unit else row.title
    panel.set_title(title, loc="left", color=INK, fontsize=10)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(length=0)
    panel.margins(x=0.12)


def draw_all(rows, results, folder):
    Path(folder).mkdir(parents=True, exist_ok=True)
    for group in dict.fromkeys(row.group for row in rows):
        members = [row for row in rows if row.group == group and row.name in results]
        if members:
            draw(group, members, results, folder)
