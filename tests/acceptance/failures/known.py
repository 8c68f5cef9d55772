"""Cases the detector does not stand yet, each with its cause; strict: a cure shows as a failure.

The assertions are those a public service would ask for. Whoever mends one removes its row.
"""

from __future__ import annotations

KNOWN: dict[str, str] = {
    "test_a_rupture_that_begins_small_is_followed_to_its_end": (
        "M6.89 instead of 6.9 at 30 s: its large parts are 70 km from where most stations look; "
        "7.4 of 7.5 at the end"
    ),
    "test_pazarcik_grows_to_its_size_and_does_not_stick": (
        "M6.9 instead of 7.0 at 25 s; 7.8 at the end"
    ),
    "test_a_great_doublet_makes_no_phantom": (
        "M8.3 (limit 8.1) for three seconds while the first rupture, of 7.5, still breaks: its "
        "line is taken too long; M7.4 before the second quake, one event, 7.95 at the end"
    ),
    "test_a_main_shock_20_s_after_its_foreshock_is_seen_for_what_it_is": (
        "M7.16 (limit 7.1) for two seconds for 6.5, by the line again; M6.7 at the end"
    ),
    "test_a_storm_of_twenty_aftershocks_makes_no_quake_elsewhere": (
        "six picks of several quakes at the edge of the network become an M5.8 212 km away, "
        "announced at 20.5 s and dropped 0.4 s later"
    ),
    "test_a_third_of_all_packets_lost_does_not_stop_the_alert[0]": (
        "alerted and one event, but M6.68 on the way and 6.40 at the end for 6.0 (limit 0.4): "
        "broken records have lost the samples between their peaks"
    ),
    "test_a_quake_150_km_deep_under_the_network_is_one_event_and_known_to_be_deep": (
        "190 km deep (limit 40 off): S is picked at few stations; "
        "one event, 1 km off in place, M6.2 for 6.3"
    ),
    "test_a_gain_a_thousand_times_too_large_does_not_turn_a_small_quake_into_a_large_one[1]": (
        "M6.8 for one second for a 3.0: three stations, one of them a thousand times too large; "
        "the two others say too little against it; 3.1 from the fourth station on"
    ),
}
