# Reads Q_DREAM_TRIGGER, acknowledges the promotions, breeds one winner, says so in JSON.
set -e
read -r trigger
echo "dreaming of $(ls promotions | wc -l) promotions" >&2
sleep "${DREAM_SECONDS:-0}"
mkdir -p promotions/acknowledged winners/.new
find promotions -maxdepth 1 -name '*.json' -exec mv {} promotions/acknowledged/ \;
printf 'print("summarise, second generation")\n' > winners/.new/variant.py
# Renamed into place: nobody sees half a winner.
rm -rf winners/summarise
mv winners/.new winners/summarise
echo '{"winners": 1, "generations": 2}'
