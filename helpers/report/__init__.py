"""From notebooks to one typeset report, in this order: settings, proof, execute, stitch, and the exporter."""
