# A winner is well when it runs. WINNER_PATH is where it was deployed.
exec python3 "$WINNER_PATH/variant.py" > /dev/null
