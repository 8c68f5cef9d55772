"""Cases the detector does not stand yet, each with its cause; strict: a cure shows as a failure.

The assertions are those a public service would ask for. Whoever mends one removes its row.
"""

from __future__ import annotations

SINE = "no gate knows a calibration sine"
STEP = "steps pass the boxcar gate where the high-pass bends them within 0.2 s"
TELEMETRY = "no gate knows broken telemetry: jumps over half of full scale pass for onsets"
GROWTH = (
    "a point source: stations the large parts of the rupture have not reached hold the magnitude "
    "down, and the last word comes before the rupture ends"
)

KNOWN: dict[str, str] = {
    "test_a_second_large_quake_39_s_after_the_first_is_told_apart_or_its_shaking_is_covered": (
        "its onsets stand less than five times above the first quake's coda"
    ),
    "test_a_storm_of_twenty_aftershocks_makes_no_large_quake": (
        "an event that exchanges picks with another jumps to M6.4 (limit 6.3)"
    ),
    "test_telemetry_that_breaks_everywhere_at_once_raises_no_alert[4.0]": TELEMETRY,
    "test_three_broken_links_a_faulty_sensor_and_a_lorry_raise_no_alert[1]": TELEMETRY,
    "test_three_broken_links_a_faulty_sensor_and_a_lorry_raise_no_alert[2]": TELEMETRY,
    "test_three_broken_links_a_faulty_sensor_and_a_lorry_raise_no_alert[3]": TELEMETRY,
    "test_a_thunderstorm_raises_no_alert": (
        "impulses some seconds apart at neighbours pass for a wave"
    ),
    "test_a_rupture_that_begins_small_is_followed_to_its_end": GROWTH,
    "test_pazarcik_grows_to_its_size_and_does_not_stick": GROWTH,
    "test_the_far_end_of_a_500_km_rupture_is_told_to_act_before_it_shakes": GROWTH,
    "test_the_recorded_quake_103_km_deep_is_one_event_and_known_to_be_deep": (
        "the depth prior holds it at 47 km"
    ),
    "test_a_sensor_whose_noise_drops_out_and_comes_back_during_a_small_quake_counts_for_nothing"
    "[30.0]": "no alert, but after half a minute of silence the noise enters the magnitude",
    "test_a_calibration_with_a_sine_raises_no_alert[0.2]": SINE,
    "test_a_calibration_with_a_sine_raises_no_alert[1.0]": SINE,
    "test_a_calibration_with_a_sine_raises_no_alert[5.0]": SINE,
    "test_a_calibration_with_steps_raises_no_alert[0.0005]": STEP,
    "test_a_calibration_with_steps_raises_no_alert[0.05]": STEP,
}
